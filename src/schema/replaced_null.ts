import type { TokenView } from "../sql/view.ts";
import type { ColumnFacts, TableFacts } from "./facts.ts";
import type { Range } from "./insert_parts.ts";
import { viewOf } from "./node_state.ts";
import { definitionOf } from "./objects.ts";

/**
 * Whether a NULL that is given for the column becomes its default, which a node would evaluate.
 *
 * @param conflict What the statement says of conflicts, in upper case; `undefined` if nothing.
 */
export function replacesNull(
  table: TableFacts,
  column: ColumnFacts,
  conflict: string | undefined,
): boolean {
  if (!column.volatileDefault || !column.notNull) return false;
  return conflict === undefined ? declaresIt(table, column) : conflict === "REPLACE";
}

/** NOT NULL ON CONFLICT REPLACE. */
function declaresIt({ sql }: TableFacts, { name }: ColumnFacts): boolean {
  const whole = viewOf(sql);
  const view = whole && definitionOf(whole, name);
  if (view === undefined) return false;
  return view.tokens.some((_, i) =>
    view.isWord(i, "NOT") && view.isWord(i + 1, "NULL") && view.isWord(i + 2, "ON") &&
    view.isWord(i + 3, "CONFLICT") && view.isWord(i + 4, "REPLACE")
  );
}

/** Whether the tokens are a value that is seen not to be NULL. */
export function isFilled(view: TokenView, [from, to]: Range): boolean {
  const kind = view.tokens[from]?.kind;
  return to === from + 1 && (kind === "string" || kind === "number" || kind === "blob");
}
