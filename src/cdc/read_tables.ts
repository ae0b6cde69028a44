import type { Facts } from "../schema/facts.ts";
import { namesIn, viewOf } from "../schema/node_state.ts";

/**
 * The tables, in lower case, that a statement may read, those of views included. It may be more than it does read, as
 * everything counts that is named like a table; none where it names no table.
 */
export function readTables(sql: string, facts: Facts): Set<string> {
  const view = viewOf(sql);
  const names = view === undefined ? [] : [...namesIn(view)];
  return new Set(names.flatMap((name) => [...facts.table(name)?.reads ?? []]));
}
