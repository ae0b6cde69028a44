import type { Keyset } from "./keyset.ts";

/** How many columns at the end of a page are not the caller's. */
export const HIDDEN_COLUMNS = 2;

/**
 * The SELECT of one page. Behind the caller's columns it has two more: the row's key as an SQL literal, and 1 for a row
 * whose key equals `after`, which a page by a column may begin with.
 *
 * @param after The key of the last row so far, an SQL literal.
 */
export function pageOf(keyset: Keyset, after: string | undefined, rows: number): string {
  if (keyset.by === undefined) {
    const behind = after === undefined ? "" : ` AND _rowid_ > ${after}`;
    return `${keyset.head}, quote(_rowid_) AS "rqlite:key", 0 AS "rqlite:same" ${keyset.tail}` +
      `${behind} ORDER BY _rowid_ LIMIT ${rows}`;
  }
  // In double quotes, SQLite would take a name that is none for text.
  const key = `\`${keyset.by.replaceAll("`", "``")}\``;
  // By `>=`: the collation may take two different keys for one, and `>` would skip the second.
  const where = after === undefined ? "" : ` WHERE ${key} >= ${after}`;
  const same = after === undefined ? "0" : `${key} = ${after}`;
  return `SELECT *, ${literalOf(key)} AS "rqlite:key", ${same} AS "rqlite:same" ` +
    `FROM (${keyset.sql})${where} ORDER BY ${key} LIMIT ${rows}`;
}

/**
 * quote() gives the stored value: not rounded, not converted by a declared type; but it ends at a NUL character. The
 * plus takes the affinity away that CAST gives.
 */
function literalOf(key: string): string {
  return `CASE WHEN typeof(${key}) = 'text' AND instr(${key}, char(0)) ` +
    `THEN '+CAST(x''' || hex(${key}) || ''' AS TEXT)' ELSE quote(${key}) END`;
}
