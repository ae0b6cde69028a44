/**
 * Where one statement of a script ends.
 *
 * @module
 */

import type { Token } from "./tokenize.ts";
import { isPunct, isWord } from "./words.ts";

/**
 * The statements among the significant tokens, as index ranges without their `;`; empty ones are
 * left out. The body of a CREATE TRIGGER stays whole.
 */
export function statementRanges(sql: string, tokens: readonly Token[]): [number, number][] {
  const ranges: [number, number][] = [];
  let from = 0;
  for (let i = 0; i <= tokens.length; i++) {
    if (i < tokens.length && !endsAt(sql, tokens, from, i)) continue;
    if (i > from) ranges.push([from, i]);
    from = i + 1;
  }
  return ranges;
}

/** Whether the token at `end` is the `;` behind the statement that begins at `from`. */
export function endsAt(sql: string, tokens: readonly Token[], from: number, end: number): boolean {
  return isPunct(sql, tokens[end], ";") && !insideTrigger(sql, tokens, from, end);
}

/** Whether the `;` at `end` belongs to the body of a trigger, which `; END` closes. */
function insideTrigger(sql: string, tokens: readonly Token[], from: number, end: number): boolean {
  if (!isCreateTrigger(sql, tokens, from)) return false;
  const closed = isWord(sql, tokens[end - 1], "END") && isPunct(sql, tokens[end - 2], ";");
  return !closed && hasBegin(sql, tokens, from, end);
}

function isCreateTrigger(sql: string, tokens: readonly Token[], from: number): boolean {
  let at = from;
  if (isWord(sql, tokens[at], "EXPLAIN")) at++;
  if (isWord(sql, tokens[at], "QUERY") && isWord(sql, tokens[at + 1], "PLAN")) at += 2;
  if (!isWord(sql, tokens[at], "CREATE")) return false;
  at++;
  if (isWord(sql, tokens[at], "TEMP") || isWord(sql, tokens[at], "TEMPORARY")) at++;
  return isWord(sql, tokens[at], "TRIGGER");
}

/** The body has begun: a `;` before that is the end of a statement that does not compile. */
function hasBegin(sql: string, tokens: readonly Token[], from: number, end: number): boolean {
  for (let i = from; i < end; i++) {
    if (isPunct(sql, tokens[i], ";")) return true;
    if (isWord(sql, tokens[i], "BEGIN")) return true;
  }
  return false;
}
