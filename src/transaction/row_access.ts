import type { Facts, TableFacts } from "../schema/facts.ts";
import { isValue, valuesGiven } from "../schema/one_row.ts";
import { assignments, insertParts, setAt } from "../schema/statement_parts.ts";
import type { Analysis } from "../sql/analyse.ts";
import { itemsOf, type Range } from "../sql/group_items.ts";
import type { Prepared, WireParam } from "../sql/prepare.ts";
import { ROWID_NAMES } from "../sql/table_columns.ts";
import type { TokenView } from "../sql/token_view.ts";
import { readsElsewhere, resolvesConflicts } from "./statement_reads.ts";

/** The row is inserted, changed, gone or read. */
export type Does = "insert" | "update" | "delete" | "read";

/** How the text of a statement names the one row that it is about. */
export interface RowAccess {
  /** The table of the row. */
  readonly table: TableFacts;
  /** What becomes of the row. */
  readonly does: Does;
  /** What the columns of the key are, in its order. */
  readonly key: readonly GivenValue[] | undefined;
  /** What the rowid is that an INSERT gives. */
  readonly number: GivenValue | undefined;
  /** By columns, in lower case: what the row that is inserted holds, or what those that are read have to. */
  readonly holds: ReadonlyMap<string, GivenValue>;
  /** What is stored in each set of columns that is unique besides the key: `null` and `undefined` as in `OneRow`. */
  readonly stores: readonly (readonly GivenValue[] | null | undefined)[] | undefined;
}

/** A value in a text, or the number of the placeholder that stands for it. */
export type GivenValue =
  | {
    /** What stands in the text. */
    readonly value: WireParam;
  }
  | {
    /** The number of the placeholder, from 1 on. */
    readonly index: number;
  };

/** What a `SELECT … FROM table WHERE column = value` of that table alone reads. */
export function rowRead(
  { analysis }: Prepared,
  view: TokenView,
  facts: Facts,
): RowAccess | undefined {
  if (!view.isWord(0, "SELECT") || readsElsewhere(view, 1)) return undefined;
  const from = view.tokens.findIndex((_, i) =>
    view.isWord(i, "FROM") && !view.isWord(i - 1, "DISTINCT")
  );
  if (from < 0) return undefined;
  const at = view.is(from + 2, ".") ? from + 3 : from + 1;
  const table = facts.table(view.name(at));
  const alias = view.isWord(at + 1, "AS") ? 2 : 1;
  const alone = view.isWord(at + 1, "WHERE") || view.isWord(at + 1 + alias, "WHERE");
  if (table?.kind !== "table" || !alone) return undefined;
  const key = keyGiven(analysis, view, from, table);
  const holds = givenValuesOf(analysis, view, valuesGiven(view, from));
  if (key === undefined && holds.size === 0) return undefined;
  return { table, does: "read", key, number: undefined, holds, stores: [] };
}

/** The one row that a write changes, where it cannot touch another one. */
export function rowWritten(
  { analysis }: Prepared,
  view: TokenView,
  table: TableFacts,
): RowAccess | undefined {
  const { bonds } = table;
  const own = table.name.toLowerCase();
  const tied = bonds.triggers !== undefined || bonds.parents.has(own) || bonds.children.has(own);
  if (table.kind !== "table" || tied) return undefined;
  if (readsElsewhere(view) || resolvesConflicts(view, table)) return undefined;
  switch (analysis.verb) {
    case "INSERT":
      return rowInserted(analysis, view, table);
    case "UPDATE":
    case "DELETE": {
      const key = keyGiven(analysis, view, 0, table);
      const names = assigned(view);
      if (key === undefined || names === undefined || movesRow(names, table)) return undefined;
      const does = analysis.verb === "UPDATE" ? "update" : "delete";
      const stores = table.bonds.uniques?.map((set) =>
        set.some((name) => names.has(name)) ? undefined : null
      );
      return { table, does, key, number: undefined, holds: new Map(), stores };
    }
  }
  return undefined;
}

function rowInserted(
  analysis: Analysis,
  view: TokenView,
  table: TableFacts,
): RowAccess | undefined {
  const parts = insertParts(view, 0);
  if (parts === undefined) return undefined;
  const { sourceAt } = parts;
  const listed = view.isWord(sourceAt, "VALUES") && view.is(sourceAt + 1, "(");
  if (!listed && !view.isWord(sourceAt, "DEFAULT")) return undefined;
  const items = listed ? itemsOf(view, sourceAt + 1) : [];
  // Another row follows.
  const last = items.at(-1);
  if (last !== undefined && view.is(last[1] + 1, ",")) return undefined;
  const names = parts.columns ?? (listed ? insertable(table) : []);
  if (listed && names.length !== items.length) return undefined;
  const values = new Map(
    items.flatMap((item, i) => {
      const name = names[i];
      return name === undefined ? [] : [[name.toLowerCase(), item] as const];
    }),
  );
  const numbers = [...values].filter(([name]) => isNumber(table, name));
  const number = numbers[0] && givenValueOf(analysis, view, numbers[0][1]);
  if (numbers.length > 1 || (numbers.length === 1 && number === undefined)) return undefined;
  const key = isKeyed(table) ? keyIn(analysis, view, table, values) : undefined;
  if (isKeyed(table) && key === undefined) return undefined;
  const stored = new Map<string, Range | undefined>(values);
  const holds = new Map(givenValuesOf(analysis, view, values));
  // What is NULL there gets a number.
  for (const [name] of numbers) holds.delete(name);
  for (const { name, default: own, generated } of table.columns) {
    const column = name.toLowerCase();
    if (stored.has(column) || isNumber(table, column)) continue;
    if (own !== undefined || generated) stored.set(column, undefined);
    else holds.set(column, { value: null });
  }
  const stores = storesOf(analysis, view, table, stored);
  return { table, does: "insert", key, number, holds, stores };
}

/**
 * What an INSERT stores in each set of columns that is unique.
 *
 * @param values By columns, in lower case; `undefined` for what is not in the text.
 */
function storesOf(
  analysis: Analysis,
  view: TokenView,
  { bonds }: TableFacts,
  values: ReadonlyMap<string, Range | undefined>,
): RowAccess["stores"] {
  return bonds.uniques?.map((names) => {
    // Where an INSERT says nothing it leaves NULL, or a number that no other row has.
    if (names.some((name) => !values.has(name))) return null;
    const givens = names.map((name) => {
      const range = values.get(name);
      return range && givenValueOf(analysis, view, range);
    });
    return allOf(givens);
  });
}

/** Whether rows are known by other columns than their number. */
function isKeyed({ rowid, key }: TableFacts): boolean {
  return rowid === undefined && key.length > 0;
}

/** Whether a name, in lower case, is one of the rowid. */
function isNumber({ rowid, columns, withoutRowid }: TableFacts, name: string): boolean {
  if (rowid?.toLowerCase() === name) return true;
  return !withoutRowid && ROWID_NAMES.includes(name) &&
    !columns.some((column) => column.name.toLowerCase() === name);
}

/** Those of columns whose values are literals or placeholders. */
function givenValuesOf(
  analysis: Analysis,
  view: TokenView,
  values: ReadonlyMap<string, Range>,
): ReadonlyMap<string, GivenValue> {
  const givens = new Map<string, GivenValue>();
  for (const [name, range] of values) {
    const given = givenValueOf(analysis, view, range);
    if (given !== undefined) givens.set(name, given);
  }
  return givens;
}

/** The key that WHERE says. @param at See `valuesGiven`. */
function keyGiven(
  analysis: Analysis,
  view: TokenView,
  at: number,
  table: TableFacts,
): readonly GivenValue[] | undefined {
  const given = valuesGiven(view, at);
  if (isKeyed(table)) return keyIn(analysis, view, table, given);
  const [, range] = [...given].find(([name]) => isNumber(table, name)) ?? [];
  const value = range && givenValueOf(analysis, view, range);
  return value && [value];
}

function keyIn(
  analysis: Analysis,
  view: TokenView,
  { key }: TableFacts,
  values: ReadonlyMap<string, Range>,
): readonly GivenValue[] | undefined {
  const givens = key.map((name) => {
    const range = values.get(name.toLowerCase());
    return range && givenValueOf(analysis, view, range);
  });
  return allOf(givens);
}

/** The columns that an UPDATE assigns, in lower case. */
function assigned(view: TokenView): ReadonlySet<string> | undefined {
  const set = setAt(view, 0);
  if (set < 0) return new Set();
  const names = assignments(view, set)?.flatMap(({ columns }) => columns);
  return names && new Set(names.map((name) => name.toLowerCase()));
}

/** Whether an UPDATE of some columns gives its row another key. */
function movesRow(names: ReadonlySet<string>, table: TableFacts): boolean {
  return table.key.some((name) => names.has(name.toLowerCase())) ||
    [...names].some((name) => isNumber(table, name));
}

function insertable({ columns }: TableFacts): string[] {
  return columns.filter(({ generated, hidden }) => !generated && !hidden).map(({ name }) => name);
}

/** A literal or placeholder; `undefined` if it is anything else. */
function givenValueOf(
  { placeholders }: Analysis,
  view: TokenView,
  range: Range,
): GivenValue | undefined {
  const [from, to] = range;
  if (to === from + 1 && view.isWord(from, "NULL")) return { value: null };
  if (!isValue(view, range)) return undefined;
  const token = view.tokens[to - 1];
  if (token === undefined) return undefined;
  const { kind, start } = token;
  const negative = to === from + 2;
  if (kind === "number") {
    const number = Number(view.text(to - 1).replaceAll("_", ""));
    return { value: negative ? -number : number };
  }
  if (negative) return undefined;
  if (kind === "string") return { value: view.name(from) };
  const place = placeholders.find((one) => one.start === start);
  return place && { index: place.index };
}

/** The values, if there are all of them. */
function allOf<T>(values: readonly (T | undefined)[]): readonly T[] | undefined {
  const found = values.filter((value) => value !== undefined);
  return found.length === values.length ? found : undefined;
}
