/**
 * Finding `*` as a result column.
 *
 * @module
 */

import type { Token } from "./tokenize.ts";
import { isPunct, isWord } from "./words.ts";

/** Whether a read selects `*` or `t.*` anywhere; not `count(*)`, not a multiplication. */
export function hasStar(sql: string, tokens: readonly Token[]): boolean {
  for (let i = 1; i < tokens.length; i++) {
    if (isPunct(sql, tokens[i], "*") && opensColumn(sql, tokens[i - 1])) return true;
  }
  return false;
}

function opensColumn(sql: string, token: Token | undefined): boolean {
  return isPunct(sql, token, ",") || isPunct(sql, token, ".") || isWord(sql, token, "SELECT") ||
    isWord(sql, token, "DISTINCT") || isWord(sql, token, "ALL");
}
