import type { TableFacts } from "../schema/facts.ts";
import { quotedName } from "../sql/quoting.ts";
import { prepare } from "../sql/prepare_frozen.ts";
import type { Prepared } from "../sql/prepare.ts";
import { anyServerParses, marked } from "../sql/returning.ts";
import type { Param, Result, Row, Value } from "../sql/value.ts";

/** More rows than that are not compared one by one. */
export const MOST_ROWS = 200;

/** The keys of rows, each in the order of the key's columns. */
export type Keys = readonly (readonly Param[])[];

/** A column of a key is told by two: servers answer values of some declared types in another form. */
const CELLS = 2;

/** The statement, its RETURNING extended by the key of each row. */
export function keyed(prepared: Prepared, key: readonly string[]): Prepared {
  const columns = key.map((name, i) =>
    `, typeof(${quotedName(name)}) AS "_rqlite_key${CELLS * i}", ` +
    `hex(${quotedName(name)}) AS "_rqlite_key${CELLS * i + 1}"`
  );
  const { analysis } = prepared;
  const { sql } = anyServerParses(analysis) ? marked(prepared) : prepared;
  return { ...prepared, sql: sql + columns.join("") };
}

/** What the caller gets of the result of a {@linkcode keyed} statement. */
export function withoutKeys(result: Result, key: readonly string[]): Result {
  const count = result.columns.length - CELLS * key.length;
  const rows = (result.rows as unknown as (Value[] | Row)[]).map((row) => {
    if (Array.isArray(row)) return row.slice(0, count);
    return Object.fromEntries(Object.entries(row).filter(([name]) => !isKey(name)));
  });
  return {
    ...result,
    columns: result.columns.slice(0, count),
    types: result.types.slice(0, count),
    rows: rows as Row[],
  };
}

/** The keys in the rows of a {@linkcode keyed} statement; `undefined` if one of them cannot be asked for again. */
export function keysIn(
  rows: readonly (readonly Value[])[],
  key: readonly string[],
): Keys | undefined {
  const keys = rows.map((row) => {
    const cells = row.slice(row.length - CELLS * key.length);
    return key.map((_, i) => decoded(String(cells[CELLS * i]), String(cells[CELLS * i + 1])));
  });
  return keys.some((values) => values.includes(undefined)) ? undefined : keys as Keys;
}

/** How many rows the keys are: a row may be told more than once. */
export function distinct(keys: Keys): number {
  return new Set(keys.map((values) => values.map(text).join())).size;
}

/** Reads the rows of those keys; each column, as what was told may be any of them. */
export function rowsOf(table: TableFacts, keys: Keys): Prepared {
  const columns = table.columns.filter(({ hidden }) => !hidden).map(({ name }) => quotedName(name));
  const one = `(${table.key.map((name) => `${quotedName(name)} IS ?`).join(" AND ")})`;
  const which = keys.length === 0 ? "0" : keys.map(() => one).join(" OR ");
  const sql = `SELECT ${columns.join(", ")} FROM ${quotedName(table.name)} WHERE ${which}`;
  return prepare({ sql, params: keys.flat() }, { now: new Date(0) });
}

/** Whether two lists of keys are the same. */
export function sameKeys(a: Keys | undefined, b: Keys): boolean {
  const list = (keys: Keys): string => keys.map((values) => values.map(text).join()).join(";");
  return a !== undefined && list(a) === list(b);
}

function text(value: unknown): string {
  return `${typeof value}:${value instanceof Uint8Array ? value.join(".") : String(value)}`;
}

function decoded(type: string, hex: string): Param | undefined {
  const pairs = hex.match(/../g) ?? [];
  const bytes = new Uint8Array(pairs.map((pair) => parseInt(pair, 16)));
  switch (type) {
    case "null":
      return null;
    case "integer":
      return BigInt(new TextDecoder().decode(bytes));
    case "text":
      return new TextDecoder().decode(bytes);
    case "blob":
      return bytes;
  }
  return undefined;
}

function isKey(name: string): boolean {
  return /^_rqlite_key\d+$/.test(name);
}
