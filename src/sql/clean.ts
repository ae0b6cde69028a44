/**
 * What may be sent of a statement. Servers hang, lose rows or lose the write on comments and blanks
 * around statements, and the newer ones see RETURNING only before a blank.
 *
 * @module
 */

import { significantTokens, type Token, tokenize } from "./tokenize.ts";
import { isPunct, isWord } from "./words.ts";

/**
 * A statement without the blanks, comments and `;` around it. Comments inside become a blank each,
 * but stay in CREATE and ALTER, whose text the database keeps. A blank follows RETURNING. Text that
 * SQLite cannot cut into tokens is left as it is.
 *
 * @example
 * ```ts
 * import { clean } from "./clean.ts";
 * clean("SELECT /* all *" + "/ 1; -- done"); // "SELECT   1"
 * ```
 */
export function clean(sql: string): string {
  const { tokens, comments, error } = significantTokens(sql);
  return error === undefined ? cleanTokens(sql, tokens, comments) : sql;
}

/**
 * The same for a text whose tokens are at hand.
 *
 * @param comments Whether there is any comment in the text.
 */
export function cleanTokens(sql: string, tokens: readonly Token[], comments: boolean): string {
  let first = 0;
  let last = tokens.length;
  while (first < last && isPunct(sql, tokens[first], ";")) first++;
  while (last > first && isPunct(sql, tokens[last - 1], ";")) last--;
  if (first === last) return "";
  const kept = isSchema(sql, tokens[first]!);
  const part = sql.slice(tokens[first]!.start, tokens[last - 1]!.end);
  const text = comments && !kept ? withoutComments(part) : part;
  return kept ? text : spaced(sql, text, tokens, first, last);
}

function isSchema(sql: string, token: Token): boolean {
  return isWord(sql, token, "CREATE") || isWord(sql, token, "ALTER");
}

function withoutComments(part: string): string {
  if (!part.includes("--") && !part.includes("/*")) return part;
  let text = "";
  for (const { kind, start, end } of tokenize(part)) {
    text += kind === "comment" ? " " : part.slice(start, end);
  }
  return text;
}

/** A blank behind each RETURNING that has none. */
function spaced(
  sql: string,
  text: string,
  tokens: readonly Token[],
  first: number,
  last: number,
): string {
  for (let i = first; i < last - 1; i++) {
    if (!isWord(sql, tokens[i], "RETURNING")) continue;
    if (sql.charCodeAt(tokens[i]!.end) !== 32) return insertBlanks(text);
  }
  return text;
}

function insertBlanks(text: string): string {
  let spaced = "";
  let from = 0;
  for (const token of significantTokens(text).tokens) {
    if (!isWord(text, token, "RETURNING") || token.end === text.length) continue;
    if (text.charCodeAt(token.end) === 32) continue;
    spaced += text.slice(from, token.end) + " ";
    from = token.end;
  }
  return spaced + text.slice(from);
}
