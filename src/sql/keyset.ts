/**
 * Paging by key: the statements that read one page of another statement's rows.
 *
 * @module
 */

import { significantTokens } from "./tokenize.ts";
import { groupEnd, isPunct, isWord } from "./words.ts";

/** How the rows of a SELECT are read page by page. */
export interface Keyset {
  /** The column that the pages follow. */
  readonly column: string;
  /** The same for messages. */
  readonly name: string;
  /** A page may begin with the row that `after` stands for. */
  readonly overlaps: boolean;
  /**
   * The SELECT of one page. Behind the caller's columns it has two more: the row's key as an SQL literal, and 1 for
   * a row whose key equals `after`.
   *
   * @param after The key of the last row so far, an SQL literal.
   */
  page(after: string | undefined, rows: number): string;
}

/** How many columns at the end of a page are not the caller's. */
export const HIDDEN_COLUMNS = 2;

/** What makes "the rowid" ambiguous or meaningless, or the order of the rows the caller's own. */
const UNPAGEABLE = [
  "DISTINCT",
  "EXCEPT",
  "GROUP",
  "HAVING",
  "INTERSECT",
  "JOIN",
  "LIMIT",
  "ORDER",
  "UNION",
  "WINDOW",
];

/** Takes a column of the result as the key. */
export function keysetBy(sql: string, column: string): Keyset {
  // In double quotes, SQLite would take a name that is none for text.
  const key = `\`${column.replaceAll("`", "``")}\``;
  return {
    column,
    name: `"${column}"`,
    overlaps: true,
    page: (after, rows) => {
      // By `>=`: the collation may take two different keys for one, and `>` would skip the second.
      const where = after === undefined ? "" : ` WHERE ${key} >= ${after}`;
      const same = after === undefined ? "0" : `${key} = ${after}`;
      return `SELECT *, ${literalOf(key)} AS "rqlite:key", ${same} AS "rqlite:same" ` +
        `FROM (${sql})${where} ORDER BY ${key} LIMIT ${rows}`;
    },
  };
}

/** Takes the table's rowid as the key; `undefined` unless `sql` is a plain SELECT from one table. */
export function keysetByRowid(sql: string): Keyset | undefined {
  const { tokens } = significantTokens(sql);
  let from: number | undefined;
  let where: number | undefined;
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i];
    if (isPunct(sql, token, "(")) i = groupEnd(sql, tokens, i) - 1;
    else if (UNPAGEABLE.some((word) => isWord(sql, token, word))) return undefined;
    else if (from !== undefined && isPunct(sql, token, ",")) return undefined;
    else if (isWord(sql, token, "FROM")) from = token!.start;
    else if (isWord(sql, token, "WHERE")) where = token!.end;
  }
  if (from === undefined) return undefined;
  const head = `${sql.slice(0, from)}, quote(_rowid_) AS "rqlite:key", 0 AS "rqlite:same" `;
  const tail = where === undefined
    ? `${sql.slice(from)} WHERE 1`
    : `${sql.slice(from, where)} (${sql.slice(where)})`;
  return {
    column: "_rowid_",
    name: "_rowid_",
    overlaps: false,
    page: (after, rows) => {
      const behind = after === undefined ? "" : ` AND _rowid_ > ${after}`;
      return `${head}${tail}${behind} ORDER BY _rowid_ LIMIT ${rows}`;
    },
  };
}

/**
 * quote() gives the stored value: not rounded, not converted by a declared type; but it ends at a NUL character. The
 * plus takes the affinity away that CAST gives.
 */
function literalOf(key: string): string {
  return `CASE WHEN typeof(${key}) = 'text' AND instr(${key}, char(0)) ` +
    `THEN '+CAST(x''' || hex(${key}) || ''' AS TEXT)' ELSE quote(${key}) END`;
}
