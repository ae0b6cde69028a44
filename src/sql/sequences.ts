/**
 * Keeping the sequence of commits where a program begins its own anew.
 *
 * @module
 */

import type { Analysis } from "./analyse.ts";
import type { Edit } from "./edit.ts";
import { significantTokens } from "./tokenize.ts";
import { behind, TokenView } from "./view.ts";

/** By a pattern, as what names the table of commits is no part of a commit. */
const SPARED = "name NOT GLOB '_rqlite_*'";

/** What an UPDATE or DELETE ends with behind its WHERE. */
const ENDS: readonly string[] = ["ORDER", "LIMIT", "RETURNING"];

/**
 * The edits by which an UPDATE or DELETE of `sqlite_sequence` leaves the rows of our own tables as they are: without them
 * no client could commit any more.
 */
export function sparing({ text, verb, table }: Analysis): readonly Edit[] {
  if (verb !== "UPDATE" && verb !== "DELETE") return [];
  if (!table || !/\bsqlite_sequence\b/i.test(table)) return [];
  const view = new TokenView(text, significantTokens(text).tokens);
  let where: number | undefined;
  let end = text.length;
  for (let i = 0; i < view.tokens.length; i = behind(view, i)) {
    if (view.isWord(i, "WHERE")) where = view.tokens[i]!.end;
    if (!view.isOneOf(i, ENDS)) continue;
    end = view.tokens[i]!.start;
    break;
  }
  if (where === undefined) return [{ start: end, end, text: ` WHERE ${SPARED} ` }];
  return [
    { start: where, end: where, text: " (" },
    { start: end, end, text: `) AND ${SPARED} ` },
  ];
}
