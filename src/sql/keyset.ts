/**
 * Paging by key: the statements that read one page of another statement's rows.
 *
 * @module
 */

import { significantTokens } from "./tokenize.ts";
import { groupEnd, isPunct, isWord } from "./words.ts";

/** A SELECT whose rows have a key. */
export interface Keyed {
  /** The SELECT; it has a column for the key. */
  readonly sql: string;
  /** The key's column, quoted. */
  readonly key: string;
  /** How many columns at the end of each page are not the caller's; the last is the key as an SQL literal. */
  readonly hidden: number;
}

const ROWID = '"rqlite:rowid"';

/** What makes "the rowid" ambiguous or meaningless, or the order of the rows the caller's own. */
const UNPAGEABLE = ["DISTINCT", "GROUP", "UNION", "INTERSECT", "EXCEPT", "ORDER", "LIMIT", "JOIN"];

/** Takes a column of the result as the key. */
export function keyedBy(sql: string, column: string): Keyed {
  return { sql, key: `"${column.replaceAll('"', '""')}"`, hidden: 1 };
}

/** Takes the table's rowid as the key; `undefined` unless `sql` is a plain SELECT from one table. */
export function keyedByRowid(sql: string): Keyed | undefined {
  const { tokens } = significantTokens(sql);
  let from: number | undefined;
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i];
    if (isPunct(sql, token, "(")) i = groupEnd(sql, tokens, i) - 1;
    else if (UNPAGEABLE.some((word) => isWord(sql, token, word))) return undefined;
    else if (from !== undefined && isPunct(sql, token, ",")) return undefined;
    else if (isWord(sql, token, "FROM")) from = token!.start;
  }
  if (from === undefined) return undefined;
  const rewritten = `${sql.slice(0, from)}, rowid AS ${ROWID} ${sql.slice(from)}`;
  return { sql: rewritten, key: ROWID, hidden: 2 };
}

/**
 * The SELECT for the rows behind `after`.
 *
 * @param after The key of the last row so far, an SQL literal.
 */
export function pageOf({ sql, key }: Keyed, after: string | undefined, rows: number): string {
  // quote() gives the stored value: not rounded, not converted by a declared type.
  const page = `SELECT *, quote(${key}) AS "rqlite:key" FROM (${sql})`;
  const behind = after === undefined ? "" : ` WHERE ${key} > ${after}`;
  return `${page}${behind} ORDER BY ${key} LIMIT ${rows}`;
}
