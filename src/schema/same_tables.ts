import type { Facts, TableFacts } from "./facts.ts";
import { namesIn, viewOf } from "./node_state.ts";

/** Whether all that a statement has to do with is the same in two schemas; what else changed does not matter to it. */
export function sameTables(sql: string, before: Facts, after: Facts): boolean {
  const view = viewOf(sql);
  if (view === undefined) return false;
  return [...namesIn(view)].every((name) => {
    const tables = [before.table(name), after.table(name)];
    if (tables[0] === undefined || tables[1] === undefined) return tables[0] === tables[1];
    const [one, other] = tables as [TableFacts, TableFacts];
    return isSame(one, other) &&
      [...one.reads, ...one.writes].every((below) => {
        const [a, b] = [before.table(below), after.table(below)];
        return a === undefined || b === undefined ? a === b : isSame(a, b);
      });
  });
}

function isSame(a: TableFacts, b: TableFacts): boolean {
  return a.sql === b.sql && a.kind === b.kind && a.rowid === b.rowid &&
    a.volatile === b.volatile && a.localUnique === b.localUnique && a.triggered === b.triggered &&
    a.keepsRows === b.keepsRows &&
    text(a.lookups) === text(b.lookups) && text([...a.local]) === text([...b.local]) &&
    text([...a.reads]) === text([...b.reads]) && text([...a.writes]) === text([...b.writes]);
}

function text(values: readonly unknown[]): string {
  return values.map((value) => JSON.stringify(value)).sort().join();
}
