import { namesIn, viewOf } from "../schema/node_state.ts";
import { readsOthers } from "../schema/refuse_volatile.ts";
import type { Prepared } from "../sql/prepare.ts";
import { isDdl, nameIn } from "./written_tables.ts";

/** Statements between which the schema stays what it is for what they write. */
export interface Step {
  /** The position of the first of them. */
  readonly from: number;
  readonly statements: readonly Prepared[];
}

/**
 * Cuts a list in front of each statement that drops or alters what one before it has written, or may have read. What is
 * made does not change what was there, so the schema behind a step is right for every write in it.
 *
 * @param statements Up to the last one that changes the schema.
 */
export function stepsOf(statements: readonly Prepared[]): Step[] {
  const starts: number[] = statements.length === 0 ? [] : [0];
  let writes: Prepared[] = [];
  for (const [i, statement] of statements.entries()) {
    if (statement.analysis.stores) writes.push(statement);
    else if (takesAway(statement, writes)) {
      starts.push(i);
      writes = [];
    }
  }
  return starts.map((from, k) => ({ from, statements: statements.slice(from, starts[k + 1]) }));
}

function takesAway(statement: Prepared, writes: readonly Prepared[]): boolean {
  const { verb, text } = statement.analysis;
  if (!isDdl(statement) || verb === "CREATE" || writes.length === 0) return false;
  const view = viewOf(text);
  const names = view && namesIn(view);
  return writes.some(({ analysis }) =>
    names?.has((nameIn(analysis.table) ?? "").toLowerCase()) !== false || readsOthers(analysis)
  );
}
