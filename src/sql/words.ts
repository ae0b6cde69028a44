/**
 * Reading tokens as words and names.
 *
 * @module
 */

import type { Token } from "./tokenize.ts";

/**
 * Whether a token is the given keyword, in any case. A quoted name never is.
 *
 * @param word In upper case.
 */
export function isWord(sql: string, token: Token | undefined, word: string): boolean {
  if (token === undefined || token.kind !== "word") return false;
  if (token.end - token.start !== word.length) return false;
  for (let i = 0; i < word.length; i++) {
    if ((sql.charCodeAt(token.start + i) & ~32) !== (word.charCodeAt(i) & ~32)) return false;
  }
  return true;
}

/** Whether a token is the given operator. */
export function isPunct(sql: string, token: Token | undefined, text: string): boolean {
  return token !== undefined && token.kind === "punct" &&
    token.end - token.start === text.length && sql.startsWith(text, token.start);
}

/** Whether SQLite would take the token for a name: `a`, `"a"`, `` `a` ``, `[a]` and also `'a'`. */
export function isName(token: Token | undefined): boolean {
  return token !== undefined &&
    (token.kind === "word" || token.kind === "quoted" || token.kind === "string");
}

/** The text of a token. */
export function textOf(sql: string, token: Token): string {
  return sql.slice(token.start, token.end);
}

/** What a name or string stands for: without its quotes, doubled ones once. */
export function nameOf(sql: string, token: Token): string {
  const text = textOf(sql, token);
  if (token.kind !== "quoted" && token.kind !== "string") return text;
  const inner = text.slice(1, -1);
  const mark = text[0]!;
  return mark === "[" ? inner : inner.replaceAll(mark + mark, mark);
}

/** The index behind the parenthesis that closes the one at `open`, or behind the last token. */
export function groupEnd(sql: string, tokens: readonly Token[], open: number): number {
  let depth = 0;
  for (let i = open; i < tokens.length; i++) {
    const token = tokens[i]!;
    if (token.kind !== "punct") continue;
    const code = sql.charCodeAt(token.start);
    if (code === 40) depth++;
    else if (code === 41 && --depth === 0) return i + 1;
  }
  return tokens.length;
}
