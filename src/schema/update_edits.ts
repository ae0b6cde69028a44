import { NotSupportedError } from "../errors.ts";
import type { Edit } from "../sql/edit.ts";
import { itemsOf, type Range } from "../sql/group_items.ts";
import type { TokenView } from "../sql/token_view.ts";
import type { ColumnFacts, Facts, TableFacts } from "./facts.ts";
import { coalesced } from "./insert_edits.ts";
import { refuseVolatileCheck } from "./refuse_volatile.ts";
import { type Assignment, assignments, setAt } from "./statement_parts.ts";
import { frozenDefault, isFilled, replacesNull } from "./volatile_default.ts";

/**
 * The edits for an UPDATE whose NULLs would become a default that each node evaluates for itself.
 *
 * @param at The index of UPDATE.
 * @param sql The statement, for errors.
 * @throws {NotSupportedError} If no literal can stand in for the default, or if the table has a CHECK that each node would
 * evaluate for itself.
 */
export function updateEdits(view: TokenView, at: number, facts: Facts, sql: string): Edit[] {
  const conflict = view.isWord(at + 1, "OR") ? view.text(at + 2).toUpperCase() : undefined;
  const table = targetOf(view, conflict === undefined ? at + 1 : at + 3, facts);
  if (table === undefined) return [];
  refuseVolatileCheck(table, sql);
  const replaced = table.columns.filter((column) => replacesNull(table, column, conflict));
  if (replaced.length === 0) return [];
  const set = setAt(view, at);
  const list = set < 0 ? [] : assignments(view, set) ?? [];
  return list.flatMap((assignment) =>
    assignment.columns.flatMap((name, position) => {
      const column = replaced.find((one) => one.name.toLowerCase() === name.toLowerCase());
      if (column === undefined) return [];
      return valueEdits(view, valueOf(view, assignment, position), table, column, sql);
    })
  );
}

function targetOf(view: TokenView, at: number, facts: Facts): TableFacts | undefined {
  const qualified = view.is(at + 1, ".");
  if (qualified && view.name(at).toLowerCase() !== "main") return undefined;
  const name = qualified ? at + 2 : at;
  return view.isName(name) ? facts.table(view.name(name)) : undefined;
}

/** The value of one column; `undefined` if a SELECT gives several at once. */
function valueOf(
  view: TokenView,
  { columns, value }: Assignment,
  position: number,
): Range | undefined {
  if (columns.length === 1) return value;
  const items = view.is(value[0], "(") ? itemsOf(view, value[0]) : [];
  return items.length === columns.length &&
      !view.isOneOf(value[0] + 1, ["SELECT", "WITH", "VALUES"])
    ? items[position]
    : undefined;
}

function valueEdits(
  view: TokenView,
  value: Range | undefined,
  table: TableFacts,
  column: ColumnFacts,
  sql: string,
): Edit[] {
  if (value !== undefined && isFilled(view, value)) return [];
  const { text, random } = frozenDefault(table, column, sql);
  if (value !== undefined && !random) return coalesced(view, value, text);
  throw new NotSupportedError(
    `Cannot set the column ${JSON.stringify(column.name)} of ${JSON.stringify(table.name)} to ` +
      "what may be NULL as each node would evaluate its default to something else: read the " +
      "values first and bind them",
    { sql },
  );
}
