import type { TableFacts } from "../schema/facts.ts";
import { prepare, type Prepared } from "../sql/prepare.ts";
import type { Param, Result, Row, Value } from "../sql/value.ts";

/** More rows than that are not compared one by one. */
export const MOST_ROWS = 200;

/** The keys of rows, each in the order of the key's columns. */
export type Keys = readonly (readonly Value[])[];

/** The statement, its RETURNING extended by the key of each row. */
export function keyed(prepared: Prepared, key: readonly string[]): Prepared {
  const columns = key.map((name, i) => `, ${quoted(name)} AS "_rqlite_key${i}"`);
  return { ...prepared, sql: prepared.sql + columns.join("") };
}

/** What the caller gets of the result of a {@linkcode keyed} statement. */
export function withoutKeys(result: Result, key: readonly string[]): Result {
  const count = result.columns.length - key.length;
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

/** The keys in the rows of a {@linkcode keyed} statement. */
export function keysIn(rows: Keys, key: readonly string[]): Keys {
  return rows.map((row) => row.slice(row.length - key.length));
}

/** Reads the rows of those keys; each column, as what was told may be any of them. */
export function rowsOf(table: TableFacts, keys: Keys): Prepared {
  const columns = table.columns.filter(({ hidden }) => !hidden).map(({ name }) => quoted(name));
  const one = `(${table.key.map((name) => `${quoted(name)} IS ?`).join(" AND ")})`;
  const which = keys.length === 0 ? "0" : keys.map(() => one).join(" OR ");
  const sql = `SELECT ${columns.join(", ")} FROM ${quoted(table.name)} WHERE ${which}`;
  return prepare({ sql, params: keys.flat() as Param[] }, { now: new Date(0) });
}

function isKey(name: string): boolean {
  return /^_rqlite_key\d+$/.test(name);
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
