// Digests of results, computed on the server. Guards compare them on every node, and nodes may run different versions of
// SQLite while a cluster is upgraded, so a digest is made of nothing but integers and hexadecimal text. Its only gap: no
// expression of SQLite tells -0.0 from 0.0, not even a printed one.

import { TokenView } from "../sql/token_view.ts";

/** The longest digest that a guard takes, in characters. */
export const LONGEST_DIGEST = 1_000_000;

/** SQLite takes 500 terms of a compound SELECT, and a column is one. */
export const MOST_COLUMNS = 500;

/** The name that the rows have inside a digest. */
export const ROWS = "_rqlite_rows";

/**
 * A REAL `v` by integers: SQLite's versions differ in how they print one. Divided or multiplied by 2^60, which is
 * exact, until it lies in 1 … 2^62; there its whole part and 53 bits of its fraction are all of it.
 */
const REAL = "(WITH RECURSIVE s(k,y) AS (SELECT 0,v UNION ALL " +
  "SELECT k+CASE WHEN abs(y)<1.0 THEN -1 ELSE 1 END," +
  "CASE WHEN abs(y)<1.0 THEN y*1073741824.0*1073741824.0 ELSE y/1073741824.0/1073741824.0 END " +
  "FROM s WHERE (abs(y)<1.0 AND y<>0.0 OR abs(y)>=2147483648.0*2147483648.0) AND abs(k)<20) " +
  "SELECT printf('r%d:%d:%d',k,y,(y-CAST(y AS INTEGER))*9007199254740992.0) " +
  "FROM s ORDER BY abs(k) DESC LIMIT 1)";

const OTHERS = "CASE typeof(v) WHEN 'integer' THEN 'i'||v WHEN 'text' THEN 't'||hex(v) " +
  "WHEN 'blob' THEN 'b'||hex(v) WHEN 'null' THEN 'n' ELSE ";

const VALUE = `${OTHERS}${REAL} END`;

/** What a digest says that was made for rows without a REAL and met one. */
const MET_REAL = "_rqlite_real";

/** To compile the expression of a REAL costs more than all the rest, and most rows hold none. */
const VALUE_WITHOUT_REAL = `${OTHERS}json_extract('{}','${MET_REAL}') END`;

/**
 * SQL that computes the digest of a read, whatever the order of its rows: one row, one text.
 *
 * @param columns How many columns the read has.
 * @param reals Whether there may be a REAL among the values; a digest without fails where it meets one.
 */
export function digestOf(sql: string, columns: number, reals = true): string {
  return digestBy(sql, columns, reals, " ORDER BY r");
}

/**
 * SQL that computes the digest of a read with its rows in the order in which they are answered.
 *
 * @param columns How many columns the read has.
 * @param reals As for {@linkcode digestOf}.
 */
export function orderedDigestOf(sql: string, columns: number, reals = true): string {
  return digestBy(sql, columns, reals, "");
}

function digestBy(sql: string, columns: number, reals: boolean, order: string): string {
  const names = Array.from({ length: columns }, (_, i) => `c${i}`);
  const values = names.map((name, i) => i === 0 ? `SELECT ${name} AS v` : `SELECT ${name}`);
  // SQLite would apply our ORDER BY before a LIMIT of the read, and so digest other rows than it answers.
  return `WITH ${ROWS}(${names.join()}) AS MATERIALIZED (${sql}) SELECT coalesce(group_concat(r,';'),'') FROM ` +
    `(SELECT (SELECT group_concat(${reals ? VALUE : VALUE_WITHOUT_REAL}) FROM (${
      values.join(" UNION ALL ")
    })) AS r ` +
    `FROM ${ROWS}${order})`;
}

/** The number of columns that a digest was meant for, if it failed because it was made for another one. */
export function columnsIn(error: string): number | undefined {
  // SQLite says: table x has 3 values for 2 columns.
  if (!error.startsWith(`table ${ROWS} has `)) return undefined;
  return Number(/ has (\d+) values/.exec(error)?.[1] ?? 0);
}

/** Whether a digest failed because it met a REAL. */
export function metReal(error: string): boolean {
  return error.includes(MET_REAL);
}

const CLAUSES = [
  "FROM",
  "WHERE",
  "GROUP",
  "HAVING",
  "WINDOW",
  "ORDER",
  "LIMIT",
  "UNION",
  "EXCEPT",
  "INTERSECT",
];

/** How many columns a read has, as far as its text tells; `*` does not. */
export function countColumns(sql: string): number | undefined {
  const view = TokenView.of(sql);
  const { length } = view.tokens;
  let i = 0;
  while (i < length && !view.isOneOf(i, ["SELECT", "VALUES"])) i = view.behind(i);
  if (view.isWord(i, "VALUES")) return commas(view, i + 2, () => false);
  const first = view.isOneOf(i + 1, ["DISTINCT", "ALL"]) ? i + 2 : i + 1;
  return commas(
    view,
    first,
    (at) => view.isOneOf(at, CLAUSES) && !view.isWord(at - 1, "DISTINCT"),
  );
}

/** The items of a list that ends at `)`, at the end or where `ends` says; none if one of them is a `*`. */
function commas(
  view: TokenView,
  first: number,
  ends: (at: number) => boolean,
): number | undefined {
  let count = 1;
  for (let i = first; i < view.tokens.length;) {
    if (view.is(i, ")") || ends(i)) break;
    const starts = i === first || view.is(i - 1, ",") || view.is(i - 1, ".");
    if (view.is(i, "*") && starts) return undefined;
    if (view.is(i, ",")) count++;
    i = view.behind(i);
  }
  return count;
}
