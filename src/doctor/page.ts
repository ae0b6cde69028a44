import { type Prepared, prepareRead } from "../sql/prepare.ts";
import { identifier } from "../sql/quoting.ts";
import { cellFrom, cellOf, literalOf } from "./cells.ts";
import type { ComparedTable } from "./compared_table.ts";

/** How many rows a page has at most, and about how many bytes. */
const MOST_ROWS = 1_000;
const MOST_BYTES = 1_000_000;

/** What a value takes beside its own bytes. */
const BYTES_OF_CELL = 8;

/** The cells that tell a row apart. */
export type Key = readonly string[];

/** Rows behind one key up to another; a page may end before that. */
export interface KeyRange {
  /** Rows up to this key are left out. */
  readonly after: Key | undefined;
  /** The last key; `undefined` for the end of the table. */
  readonly until: Key | undefined;
}

/** What one node has in a range, from its begin on. */
export interface Page {
  /** Cells of each row in one text, by the text of its key; in the order of the keys. */
  readonly rows: ReadonlyMap<string, string>;
  /** The last key, if there is a row. */
  readonly last: Key | undefined;
  /** It reaches the end of the range. */
  readonly complete: boolean;
  /** The number of the last commit with an id in the database of that moment. */
  readonly commit: unknown;
}

/** No cell holds one. */
const BETWEEN = " ";

/** The cells of a row of a page. */
export function cellsOf(row: string): string[] {
  return row.split(BETWEEN);
}

/** The text of a key. */
export function textOf(key: Key): string {
  return key.join(BETWEEN);
}

/** The statement that reads a page, for any number of nodes. */
export function pageQuery(table: ComparedTable, range: KeyRange): Prepared {
  const { keys, columns, name, where } = table;
  const params: number[] = [];
  const from = `main.${identifier(name)}`;
  const names = keys.map((_, i) => `k${i}`).join();
  const list = tuple(keys);
  const bound = (than: string, key: Key | undefined) =>
    key === undefined
      ? ""
      : ` AND ${list} ${than} ${tuple(key.map((cell) => literalOf(cell, params)))}`;
  const conditions = where + bound(">", range.after) + bound("<=", range.until);
  const sizes = columns.map((column) => `coalesce(octet_length(${identifier(column)}),0)`);
  const order = `ORDER BY ${keys.join()}`;
  const cells = [...keys, ...columns.map((column) => identifier(column))].map(cellOf);
  // Sizes are read first: no page holds more bytes than they allow, however large the values are.
  const sql = `WITH _rqlite_keys(${names},size) AS MATERIALIZED (SELECT ${keys.join()},` +
    `${sum(sizes)}+${
      BYTES_OF_CELL * columns.length
    } FROM ${from} WHERE ${conditions} ${order} LIMIT ${MOST_ROWS}),` +
    `_rqlite_page(${names},place,before) AS MATERIALIZED (SELECT ${names},row_number() OVER (),` +
    `sum(size) OVER (ROWS UNBOUNDED PRECEDING)-size FROM _rqlite_keys) ` +
    `SELECT (SELECT count(*) FROM _rqlite_keys),${cells.join()} FROM ${from} WHERE ${conditions} AND ${list} <= ` +
    `(SELECT ${names} FROM _rqlite_page WHERE before < ${MOST_BYTES} ORDER BY place DESC LIMIT 1) ${order}`;
  return prepareRead({ sql, params: [...params, ...params] });
}

function tuple(items: readonly string[]): string {
  const list = items.join();
  return items.length === 1 ? list : `(${list})`;
}

/** As a tree: SQLite takes a thousand levels. */
function sum(terms: readonly string[]): string {
  if (terms.length < 2) return terms[0] ?? "0";
  const middle = terms.length >> 1;
  return `(${sum(terms.slice(0, middle))}+${sum(terms.slice(middle))})`;
}

/** A page from the rows of its query. */
export function pageFrom(
  { keys }: ComparedTable,
  { until }: KeyRange,
  answered: readonly (readonly unknown[])[],
  commit: unknown,
): Page {
  const rows = new Map<string, string>();
  let last: Key | undefined;
  for (const [, ...arrived] of answered) {
    const cells = arrived.map(cellFrom);
    last = cells.slice(0, keys.length);
    rows.set(textOf(last), cells.slice(keys.length).join(BETWEEN));
  }
  const found = Number(answered[0]?.[0] ?? 0);
  const ends = found < MOST_ROWS || (last !== undefined && textOf(last) === textOf(until ?? []));
  return { rows, last, complete: ends && found === answered.length, commit };
}
