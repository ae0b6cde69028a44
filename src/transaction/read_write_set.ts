import { tableOf } from "../commit/written_tables.ts";
import { EVERYTHING } from "../commit/log_table.ts";
import { CachePerSchema, type Facts } from "../schema/facts.ts";
import { namesIn } from "../schema/node_state.ts";
import { tokensOf } from "../sql/analyse.ts";
import type { Prepared, WireParam } from "../sql/prepare.ts";
import { insertWithRowid } from "./insert_with_rowid.ts";
import { type Does, type GivenValue, type RowAccess, rowRead, rowWritten } from "./row_access.ts";

/** What a statement depends on and what it changes, as far as its text and the schema tell. */
export interface ReadWriteSet {
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
  /** What becomes of it. */
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

/** What was told of an insert that was tried. */
export interface ToldNumber {
  /** The number that its table gave it. */
  readonly rowid: number | bigint | undefined;
}

/**
 * Finds it out.
 *
 * @param told For a write that was tried before.
 * @returns `undefined` if it may depend on anything, and change anything.
 */
export function readWriteSetOf(
  prepared: Prepared,
  facts: Facts,
  told?: ToldNumber,
): ReadWriteSet | undefined {
  const cache = caches.of(facts);
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
  readonly all: ReadWriteSet;
  /** The tables, in lower case, whose rows matter to it besides the one row that it is about. */
  readonly beside: ReadonlySet<string>;
  readonly one: RowAccess | undefined;
}

const caches: CachePerSchema<Form | "any"> = new CachePerSchema();

const NONE: ReadonlySet<string> = new Set();

/** What tells of the statement in front of it. */
const COUNTERS = /last_insert_rowid|changes/i;

function formOf(prepared: Prepared, facts: Facts): Form | "any" {
  const { kind, text, table: target } = prepared.analysis;
  if ((kind !== "read" && kind !== "write") || COUNTERS.test(text)) return "any";
  const view = tokensOf(prepared.analysis);
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
function decisive(name: string, facts: Facts, one: RowAccess | undefined): string[] {
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

/** The row that a statement with these values is about. */
function rowOf(
  prepared: Prepared,
  { table, does, key, number, holds, stores }: RowAccess,
  told: ToldNumber | undefined,
): OneRow | undefined {
  const base = {
    table: table.name.toLowerCase(),
    does,
    stores: stores?.map((givens) => givens && uniqueOf(prepared, givens)),
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
  const again = counts && rowid !== undefined ? insertWithRowid(prepared, table, rowid) : undefined;
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

/** What it stands for; `undefined` if that cannot be told. */
function valueOf({ analysis, sql, params }: Prepared, given: GivenValue): WireParam | undefined {
  if ("value" in given) return given.value;
  const value = params[given.index - 1];
  // It may stand in the text instead.
  return value === null && sql !== analysis.text ? undefined : value;
}

function keyOf(prepared: Prepared, key: readonly GivenValue[]): string | undefined {
  const values = key.map((given) => valueOf(prepared, given))
    .filter((value) => value !== undefined && value !== null);
  return values.length < key.length ? undefined : values.map(comparable).join("\0");
}

function heldBy(
  prepared: Prepared,
  givens: ReadonlyMap<string, GivenValue>,
): Map<string, string | null> {
  const held = new Map<string, string | null>();
  for (const [name, given] of givens) {
    const value = valueOf(prepared, given);
    if (value !== undefined) held.set(name, value === null ? null : comparable(value));
  }
  return held;
}

/** NULL is never equal to anything. */
function uniqueOf(prepared: Prepared, givens: readonly GivenValue[]): string | null | undefined {
  return givens.some((given) => valueOf(prepared, given) === null) ? null : keyOf(prepared, givens);
}

/** A text that is another one only where values differ for SQLite, whatever the column's affinity and collation. */
function comparable(value: Exclude<WireParam, null>): string {
  const number = typeof value === "string" && value.trim() === "" ? NaN : Number(value);
  return Number.isNaN(number) ? `t${String(value).trimEnd().toLowerCase()}` : `n${number}`;
}
