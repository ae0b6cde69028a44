import { tableOf } from "../commit/written.ts";
import { EVERYTHING } from "../commit/log.ts";
import type { Facts, TableFacts } from "../schema/facts.ts";
import { insertParts, itemsOf, type Range } from "../schema/insert_parts.ts";
import { isValue, valuesGiven } from "../schema/one_row.ts";
import { namesIn } from "../schema/node_state.ts";
import { assignments, setAt } from "../schema/update_parts.ts";
import type { Analysis } from "../sql/analyse.ts";
import { TextCache } from "../sql/cache.ts";
import type { Prepared, WireParam } from "../sql/prepare.ts";
import { ROWID_NAMES } from "../sql/rowid_names.ts";
import type { TokenView } from "../sql/view.ts";
import { numbered } from "./numbered.ts";
import { readsElsewhere, resolvesConflicts, viewOf } from "./told.ts";

/** What a statement depends on and what it changes, as far as its text and the schema tell. */
export interface Reach {
  /** The tables, in lower case, whose rows matter to it; without that of {@linkcode one}. */
  readonly reads: ReadonlySet<string>;
  /** The tables, in lower case, that it may write. */
  readonly writes: ReadonlySet<string>;
  /** Where it is about one row of one table: no other row of that matters to it, or is changed by it. */
  readonly one: OneRow | undefined;
}

/** One row of a table, or what it reads of one table. */
export interface OneRow {
  /** In lower case. */
  readonly table: string;
  readonly does: Does;
  /**
   * What it stores in each set of columns that is unique besides the key: `null` where it cannot meet another row by it,
   * `undefined` where that cannot be told.
   */
  readonly stores: readonly (string | null | undefined)[] | undefined;
  /**
   * Rows with different ones are different; `undefined` of a row that is new, and by whatever number it gets, and where
   * rows are read by something else.
   */
  readonly key: string | undefined;
  /** By columns, in lower case: what the new row holds, as far as that is known, or what the rows that are read have to. */
  readonly holds: ReadonlyMap<string, string | null>;
  /** The table gives it a number that depends on the highest one. */
  readonly counts: boolean;
  /** An insert that the table gave its number to, with that number written out. */
  readonly again: Prepared | undefined;
}

/** The row is inserted, changed, gone or read. */
type Does = "insert" | "update" | "delete" | "read";

/** What was told of an insert that was tried. */
export interface ToldNumber {
  readonly rowid: number | bigint | undefined;
}

/**
 * Finds it out.
 *
 * @param told For a write that was tried before.
 * @returns `undefined` if it may depend on anything, and change anything.
 */
export function reachOf(prepared: Prepared, facts: Facts, told?: ToldNumber): Reach | undefined {
  let cache = caches.get(facts);
  if (cache === undefined) caches.set(facts, cache = new TextCache(1000, 1_000_000));
  const { text } = prepared.analysis;
  let form = cache.get(text);
  if (form === undefined) cache.set(text, form = formOf(prepared, facts));
  if (form === "any") return undefined;
  const one = form.one && rowOf(prepared, form.one, told);
  return one === undefined ? form.all : { ...form.all, reads: form.beside, one };
}

/** What the text alone tells of it. */
interface Form {
  /** Without a look at single rows. */
  readonly all: Reach;
  /** The tables, in lower case, whose rows matter to it besides the one row that it is about. */
  readonly beside: ReadonlySet<string>;
  readonly one: RowForm | undefined;
}

/** How it names the one row that it is about. */
interface RowForm {
  readonly table: TableFacts;
  readonly does: Does;
  /** What the columns of the key are, in its order. */
  readonly key: readonly Cell[] | undefined;
  /** What the rowid is that an INSERT gives. */
  readonly number: Cell | undefined;
  /** See {@linkcode OneRow.holds}; only of those that insert or read. */
  readonly holds: ReadonlyMap<string, Cell>;
  /** See {@linkcode OneRow.stores}: the columns of each set. */
  readonly stores: readonly (readonly Cell[] | null | undefined)[] | undefined;
}

/** A value in a text, or the number of the placeholder that stands for it. */
type Cell = { readonly value: WireParam } | { readonly index: number };

const caches: WeakMap<Facts, TextCache<Form | "any">> = new WeakMap();

const NONE: ReadonlySet<string> = new Set();

/** What tells of the statement in front of it. */
const COUNTERS = /last_insert_rowid|changes/i;

function formOf(prepared: Prepared, facts: Facts): Form | "any" {
  const { kind, text, table: target } = prepared.analysis;
  if ((kind !== "read" && kind !== "write") || COUNTERS.test(text)) return "any";
  const view = viewOf(prepared);
  const names = [...namesIn(view)];
  if (names.some(isOfNode)) return "any";
  const reads = names.flatMap((name) => [...facts.table(name)?.reads ?? []]);
  if (kind === "read") {
    const all = { reads: new Set(reads), writes: NONE, one: undefined };
    return { all, beside: NONE, one: rowRead(prepared, view, facts) };
  }
  const table = tableOf(target, facts);
  if (table === undefined || table.writes.has(EVERYTHING)) return "any";
  const { writes } = table;
  const one = rowWritten(prepared, view, table);
  const beside = new Set([...writes].flatMap((name) => decisive(name, facts, one)));
  const all = { reads: new Set([...reads, ...writes, ...beside]), writes, one: undefined };
  return { all, beside, one };
}

/** What SQLite keeps for itself. */
function isOfNode(name: string): boolean {
  return name.startsWith("sqlite_") || name.startsWith("pragma_") || name === "dbstat";
}

/** The tables that decide about a write to one. */
function decisive(name: string, facts: Facts, one: RowForm | undefined): string[] {
  const bonds = facts.table(name)?.bonds;
  if (bonds === undefined) return [];
  const does = one?.table.name.toLowerCase() === name ? one.does : undefined;
  const named = [
    ...bonds.triggers ?? [],
    ...(does === "delete" ? [] : bonds.parents),
    ...(does === "insert" ? [] : bonds.children),
  ];
  return named.flatMap((other) => [...facts.table(other)?.reads ?? [other]]);
}

/** `SELECT … FROM table WHERE column = value`, of that table alone. */
function rowRead({ analysis }: Prepared, view: TokenView, facts: Facts): RowForm | undefined {
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
  const holds = cellsOf(analysis, view, valuesGiven(view, from));
  if (key === undefined && holds.size === 0) return undefined;
  return { table, does: "read", key, number: undefined, holds, stores: [] };
}

function rowWritten(
  { analysis }: Prepared,
  view: TokenView,
  table: TableFacts,
): RowForm | undefined {
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
): RowForm | undefined {
  const parts = insertParts(view, 0);
  if (parts === undefined) return undefined;
  const { sourceAt } = parts;
  const listed = view.isWord(sourceAt, "VALUES") && view.is(sourceAt + 1, "(");
  if (!listed && !view.isWord(sourceAt, "DEFAULT")) return undefined;
  const items = listed ? itemsOf(view, sourceAt + 1) : [];
  // Another row follows.
  if (listed && view.is(items.at(-1)![1] + 1, ",")) return undefined;
  const names = parts.columns ?? (listed ? insertable(table) : []);
  if (listed && names.length !== items.length) return undefined;
  const values = new Map(names.map((name, i) => [name.toLowerCase(), items[i]!]));
  const numbers = [...values].filter(([name]) => isNumber(table, name));
  const number = numbers[0] && cellOf(analysis, view, numbers[0][1]);
  if (numbers.length > 1 || (numbers.length === 1 && number === undefined)) return undefined;
  const key = isKeyed(table) ? keyIn(analysis, view, table, values) : undefined;
  if (isKeyed(table) && key === undefined) return undefined;
  const stored = new Map<string, Range | undefined>(values);
  const holds = new Map(cellsOf(analysis, view, values));
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
): RowForm["stores"] {
  return bonds.uniques?.map((names) => {
    // Where an INSERT says nothing it leaves NULL, or a number that no other row has.
    if (names.some((name) => !values.has(name))) return null;
    const cells = names.map((name) => {
      const range = values.get(name);
      return range && cellOf(analysis, view, range);
    });
    return cells.includes(undefined) ? undefined : cells.map((cell) => cell!);
  });
}

/** The row that a statement with these values is about. */
function rowOf(
  prepared: Prepared,
  { table, does, key, number, holds, stores }: RowForm,
  told: ToldNumber | undefined,
): OneRow | undefined {
  const base = {
    table: table.name.toLowerCase(),
    does,
    stores: stores?.map((cells) => cells && uniqueOf(prepared, cells)),
    holds: heldBy(prepared, holds),
    counts: false,
    again: undefined,
  };
  const keyed = key && keyOf(prepared, key);
  const known = keyed !== undefined || (does === "read" && base.holds.size > 0);
  if (!known && (key !== undefined || does === "read")) return undefined;
  if (does !== "insert") return { ...base, key: keyed };
  const given = number && valueOf(prepared, number);
  if (number !== undefined && given === undefined) return undefined;
  const counts = !table.withoutRowid && (given ?? undefined) === undefined;
  const rowid = told?.rowid;
  const again = counts && rowid !== undefined ? numbered(prepared, table, rowid) : undefined;
  // Tried again without those in front of it, it would get another number.
  if (counts && told !== undefined && again === undefined) return undefined;
  const own = counts ? rowid : given ?? undefined;
  return {
    ...base,
    key: keyed ?? (own === undefined ? undefined : comparable(own)),
    counts,
    again,
  };
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
function cellsOf(
  analysis: Analysis,
  view: TokenView,
  values: ReadonlyMap<string, Range>,
): ReadonlyMap<string, Cell> {
  const cells = new Map<string, Cell>();
  for (const [name, range] of values) {
    const cell = cellOf(analysis, view, range);
    if (cell !== undefined) cells.set(name, cell);
  }
  return cells;
}

/** The key that WHERE says. @param at See `valuesGiven`. */
function keyGiven(
  analysis: Analysis,
  view: TokenView,
  at: number,
  table: TableFacts,
): readonly Cell[] | undefined {
  const given = valuesGiven(view, at);
  if (isKeyed(table)) return keyIn(analysis, view, table, given);
  const [, range] = [...given].find(([name]) => isNumber(table, name)) ?? [];
  const cell = range && cellOf(analysis, view, range);
  return cell && [cell];
}

function keyIn(
  analysis: Analysis,
  view: TokenView,
  { key }: TableFacts,
  values: ReadonlyMap<string, Range>,
): readonly Cell[] | undefined {
  const cells = key.map((name) => {
    const range = values.get(name.toLowerCase());
    return range && cellOf(analysis, view, range);
  });
  return cells.includes(undefined) ? undefined : cells.map((cell) => cell!);
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
function cellOf(
  { placeholders }: Analysis,
  view: TokenView,
  range: Range,
): Cell | undefined {
  const [from, to] = range;
  if (to === from + 1 && view.isWord(from, "NULL")) return { value: null };
  if (!isValue(view, range)) return undefined;
  const { kind, start } = view.tokens[to - 1]!;
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

/** What it stands for; `undefined` if that cannot be told. */
function valueOf({ analysis, sql, params }: Prepared, cell: Cell): WireParam | undefined {
  if ("value" in cell) return cell.value;
  const value = params[cell.index - 1];
  // It may stand in the text instead.
  return value === null && sql !== analysis.text ? undefined : value;
}

function keyOf(prepared: Prepared, key: readonly Cell[]): string | undefined {
  const values = key.map((cell) => valueOf(prepared, cell));
  if (values.some((value) => value === undefined || value === null)) return undefined;
  return values.map((value) => comparable(value!)).join("\0");
}

function heldBy(prepared: Prepared, cells: ReadonlyMap<string, Cell>): Map<string, string | null> {
  const held = new Map<string, string | null>();
  for (const [name, cell] of cells) {
    const value = valueOf(prepared, cell);
    if (value !== undefined) held.set(name, value === null ? null : comparable(value));
  }
  return held;
}

/** NULL is never equal to anything. */
function uniqueOf(prepared: Prepared, cells: readonly Cell[]): string | null | undefined {
  return cells.some((cell) => valueOf(prepared, cell) === null) ? null : keyOf(prepared, cells);
}

/** A text that is another one only where values differ for SQLite, whatever the column's affinity and collation. */
function comparable(value: Exclude<WireParam, null>): string {
  const number = typeof value === "string" && value.trim() === "" ? NaN : Number(value);
  return Number.isNaN(number) ? `t${String(value).trimEnd().toLowerCase()}` : `n${number}`;
}
