import { classify } from "../sql/classify.ts";
import type { Range } from "../sql/group_items.ts";
import { ROWID_NAMES } from "../sql/table_columns.ts";
import type { TokenView } from "../sql/token_view.ts";
import { type Facts, NO_FACTS, type TableFacts } from "./facts.ts";
import { viewOf } from "./node_state.ts";
import { definitionOf } from "./schema_objects.ts";

/** What ends a condition. */
const ENDS = ["RETURNING", "GROUP", "HAVING", "WINDOW", "ORDER", "LIMIT"];

/**
 * Whether an UPDATE or DELETE changes one row at most, as its WHERE says `=` of every column of something unique, or IN of
 * one value. Of a table that is not known, the node says that there is none.
 */
export function changesOneRow(sql: string, facts: Facts): boolean {
  const view = viewOf(sql);
  if (view === undefined) return false;
  const { at } = classify(view);
  const { table: name, condition, aliased } = targetOf(view, at);
  const table = facts.table(name);
  if (table === undefined) return facts !== NO_FACTS;
  // All names in a SELECT from the same table, under no other name, are that table's.
  const isOne: IsOneValue = (range, many) =>
    isValue(view, range) || (at === 0 && !aliased && isFrom(view, range, name, many));
  const given = condition && columnsGiven(view, condition, isOne);
  return given !== undefined && table.kind === "table" && isUnique(table, given);
}

/**
 * What a statement equals columns of its table to: by the column, in lower case, the tokens of a literal or placeholder.
 *
 * @param at The index of UPDATE or DELETE, or of the FROM of a SELECT from one table alone.
 */
export function valuesGiven(view: TokenView, at: number): ReadonlyMap<string, Range> {
  const { condition } = targetOf(view, at);
  const given = condition && columnsGiven(view, condition, (range) => isValue(view, range));
  return given ?? new Map();
}

/** Columns, in lower case, and the tokens of what they have to equal. */
type Given = Map<string, Range>;

/** What a condition has to equal: a value, or one row of a SELECT that cannot see the row that is changed. */
type IsOneValue = (range: Range, many?: boolean) => boolean;

/** What a statement is about. */
interface Target {
  readonly table: string;
  /** The table may have another name in the statement. */
  readonly aliased: boolean;
  /** What is behind WHERE; `undefined` where others decide, too. */
  readonly condition: Range | undefined;
}

function targetOf(view: TokenView, at: number): Target {
  const first = view.isWord(at + 1, "OR") ? at + 3 : view.isWord(at + 1, "FROM") ? at + 2 : at + 1;
  const table = view.name(view.is(first + 1, ".") ? first + 2 : first);
  const aliased = !view.isOneOf(first + 1, ["SET", "WHERE"]);
  let [where, i] = [-1, first];
  for (; i < view.tokens.length; i = view.behind(i)) {
    if (view.isOneOf(i, ENDS)) break;
    if (view.isWord(i, "FROM") && !view.isWord(i - 1, "DISTINCT")) {
      return { table, aliased, condition: undefined };
    }
    if (where < 0 && view.isWord(i, "WHERE")) where = i;
  }
  return { table, aliased, condition: where < 0 ? undefined : [where + 1, i] };
}

/** The columns that have to equal a value; `undefined` where AND is not all that joins the parts. */
function columnsGiven(view: TokenView, [from, to]: Range, isOne: IsOneValue): Given | undefined {
  if (view.is(from, "(") && view.behind(from) === to) {
    return columnsGiven(view, [from + 1, to - 1], isOne);
  }
  const given: Given = new Map();
  let start = from;
  for (let i = from; i <= to; i = i === to ? i + 1 : view.behind(i)) {
    if (i < to && view.isOneOf(i, ["OR", "BETWEEN", "CASE"])) return undefined;
    if (i < to && !view.isWord(i, "AND")) continue;
    for (const [name, value] of equalled(view, [start, i], isOne)) given.set(name, value);
    start = i + 1;
  }
  return given;
}

/** `column = value`, also the other way round, and `column IN (value)`; a group is looked into. */
function equalled(
  view: TokenView,
  [from, to]: Range,
  isOne: IsOneValue,
): Iterable<[string, Range]> {
  if (view.is(from, "(") && view.behind(from) === to) {
    return columnsGiven(view, [from + 1, to - 1], isOne) ?? [];
  }
  for (let i = from; i < to; i = view.behind(i)) {
    if (view.isWord(i, "IN") && view.behind(i + 1) === to) {
      const column = columnIn(view, [from, i]);
      const values = view.is(i + 1, "(") && isOne([i + 2, to - 1], true);
      return column !== undefined && values ? [[column, [i + 2, to - 1]]] : [];
    }
    if (!view.is(i, "=") && !view.is(i, "==")) continue;
    const column = columnIn(view, [from, i]) ?? columnIn(view, [i + 1, to]);
    const value = ([[from, i], [i + 1, to]] as const).find((side) => isOne(side));
    return column !== undefined && value !== undefined ? [[column, value]] : [];
  }
  return [];
}

/** Whether it is `(SELECT … FROM table …)`, which is one value; of `many` those that end with LIMIT 1. */
function isFrom(view: TokenView, [from, to]: Range, table: string, many = false): boolean {
  if (!many) {
    return view.is(from, "(") && view.behind(from) === to &&
      isOwn(view, [from + 1, to - 1], table);
  }
  return view.isWord(to - 2, "LIMIT") && view.text(to - 1) === "1" &&
    isOwn(view, [from, to], table);
}

/** Whether all that it names is the table's own: that is all it reads, under no other name. */
function isOwn(view: TokenView, [from, to]: Range, table: string): boolean {
  let source = view.isWord(from, "SELECT") ? 0 : to;
  for (let i = from; i < to; i = view.behind(i)) {
    if (view.isOneOf(i, ["UNION", "EXCEPT", "INTERSECT"])) return false;
    if (source === 0 && view.isWord(i, "FROM") && !view.isWord(i - 1, "DISTINCT")) source = i + 1;
  }
  return source > 0 && view.name(source).toLowerCase() === table.toLowerCase() &&
    (source + 1 === to || view.isOneOf(source + 1, ["WHERE", "ORDER", "LIMIT"]));
}

function columnIn(view: TokenView, [from, to]: Range): string | undefined {
  for (let i = from; i < to; i += 2) {
    const token = view.tokens[i];
    if (token?.kind === "string" || !view.isName(i)) return undefined;
    if (i === to - 1) return view.name(i).toLowerCase();
    if (!view.is(i + 1, ".")) return undefined;
  }
  return undefined;
}

/** Whether the tokens are a literal or a placeholder, also behind a minus. */
export function isValue(view: TokenView, [from, to]: Range): boolean {
  const kind = view.tokens[to - 1]?.kind;
  const negative = to === from + 2 && view.is(from, "-");
  return (to === from + 1 || negative) &&
    (kind === "placeholder" || kind === "string" || kind === "number" || kind === "blob");
}

function isUnique(table: TableFacts, given: Given): boolean {
  const { columns, withoutRowid, uniqueSets } = table;
  const hidden = columns.map(({ name }) => name.toLowerCase());
  const byRowid = !withoutRowid &&
    ROWID_NAMES.some((name) => given.has(name) && !hidden.includes(name));
  return byRowid ||
    uniqueSets.some((names) =>
      names.every((name) => given.has(name) && comparesAlike(table, name, names.length === 1))
    );
}

/** Whether values that the index tells apart are told apart by `=`, which goes by the column's own collation. */
function comparesAlike({ sql }: TableFacts, column: string, alone: boolean): boolean {
  const whole = viewOf(sql);
  const view = whole && definitionOf(whole, column);
  if (view === undefined) return false;
  const has = (words: readonly string[]) => view.tokens.some((_, i) => view.isOneOf(i, words));
  return !has(["COLLATE"]) || (alone && has(["UNIQUE", "PRIMARY"]));
}
