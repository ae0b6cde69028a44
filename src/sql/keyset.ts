import { TokenView } from "./token_view.ts";

/** How the rows of a SELECT are read page by page; `keyset_page.ts` makes the statements. */
export type Keyset =
  /** By a column of its result. */
  | {
    /** The name of the column. */
    readonly by: string;
    /** The whole statement. */
    readonly sql: string;
  }
  /** By the rowid of its table; the SELECT is cut at its FROM, and has a WHERE to go on with. */
  | {
    /** No column. */
    readonly by: undefined;
    /** The text in front of FROM. */
    readonly head: string;
    /** The text from FROM on, which ends with a condition. */
    readonly tail: string;
  };

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

/** Takes the table's rowid as the key; `undefined` unless `sql` is a plain SELECT from one table. */
export function keysetByRowid(sql: string): Keyset | undefined {
  const view = TokenView.of(sql);
  let from: number | undefined;
  let where: number | undefined;
  for (let i = 0; i < view.tokens.length; i = view.behind(i)) {
    if (view.isOneOf(i, UNPAGEABLE)) return undefined;
    if (from !== undefined && view.is(i, ",")) return undefined;
    if (view.isWord(i, "FROM")) from = view.tokens[i]?.start;
    else if (view.isWord(i, "WHERE")) where = view.tokens[i]?.end;
  }
  if (from === undefined) return undefined;
  const tail = where === undefined
    ? `${sql.slice(from)} WHERE 1`
    : `${sql.slice(from, where)} (${sql.slice(where)})`;
  return { by: undefined, head: sql.slice(0, from), tail };
}
