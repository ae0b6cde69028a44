import { namesIn, viewOf } from "../schema/node_state.ts";
import type { Prepared } from "../sql/prepare.ts";
import { isDdl, nameIn } from "./written.ts";

/** Statements between which the schema stays what it is for what they write. */
export interface Step {
  /** The position of the first of them. */
  readonly from: number;
  readonly statements: readonly Prepared[];
}

/**
 * Cuts a list in front of each statement that drops or alters what one before it has written. What is made does not
 * change what was there, so the schema behind a step is right for every write in it.
 *
 * @param statements Up to the last one that changes the schema.
 */
export function stepsOf(statements: readonly Prepared[]): Step[] {
  const starts: number[] = statements.length === 0 ? [] : [0];
  const written = new Set<string>();
  for (const [i, statement] of statements.entries()) {
    const { kind, table } = statement.analysis;
    if (kind === "write") written.add((nameIn(table) ?? "").toLowerCase());
    else if (takesAway(statement, written)) {
      starts.push(i);
      written.clear();
    }
  }
  return starts.map((from, k) => ({ from, statements: statements.slice(from, starts[k + 1]) }));
}

function takesAway(statement: Prepared, written: ReadonlySet<string>): boolean {
  const { verb, text } = statement.analysis;
  if (!isDdl(statement) || verb === "CREATE" || written.size === 0) return false;
  const view = viewOf(text);
  return view === undefined || [...namesIn(view)].some((name) => written.has(name));
}
