import { type Analysis, tokensOf } from "./analyse.ts";
import type { Edit } from "./edit.ts";
import type { TokenView } from "./token_view.ts";

/** The log of commits. */
export const COMMIT_TABLE = "_rqlite_commit";

/** The tables that clients keep in the database for themselves, see `docs/transactions.md` and `src/locks/rqlite_row.ts`. */
export const OWN_TABLES: readonly string[] = [COMMIT_TABLE, "_rqlite_version", "_rqlite_lock"];

/** Whether a table is one that clients keep for themselves, and not the user's. */
export function isOwnTable(name: string): boolean {
  return OWN_TABLES.includes(name.toLowerCase());
}

/** By a pattern, as what names the log of commits is no part of a commit. */
const SPARED = "NOT GLOB '_rqlite_*'";

/** What an UPDATE or DELETE ends with behind its WHERE. */
const ENDS: readonly string[] = ["ORDER", "LIMIT", "RETURNING"];

/**
 * The edits by which an UPDATE or DELETE of `sqlite_sequence` leaves the rows of our own tables as they are: without them
 * no client could commit any more.
 */
export function sparing(analysis: Analysis): readonly Edit[] {
  const { text, verb, table } = analysis;
  if (verb !== "UPDATE" && verb !== "DELETE") return [];
  if (!table || !/\bsqlite_sequence\b/i.test(table)) return [];
  const view = tokensOf(analysis);
  let name = "name";
  let where: number | undefined;
  let end = text.length;
  for (let i = 0; i < view.tokens.length; i = view.behind(i)) {
    if (view.isWord(i, "SET")) name = `${targetIn(view, i)}.name`;
    if (view.isWord(i, "WHERE")) where = view.end(i);
    if (!view.isOneOf(i, ENDS)) continue;
    end = view.start(i);
    break;
  }
  if (where === undefined) return [{ start: end, end, text: ` WHERE ${name} ${SPARED} ` }];
  return [
    { start: where, end: where, text: " (" },
    { start: end, end, text: `) AND ${name} ${SPARED} ` },
  ];
}

/** What an UPDATE calls its table, as one in its FROM may have a column of the same name. @param set The index of SET. */
function targetIn(view: TokenView, set: number): string {
  return view.text(view.isWord(set - 2, "NOT") ? set - 3 : set - 1);
}
