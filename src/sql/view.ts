/**
 * Looking at tokens by index; beyond either end there is nothing.
 *
 * @module
 */

import type { Token } from "./tokenize.ts";
import { groupEnd, isPunct, isWord, nameOf, textOf } from "./words.ts";

/** The significant tokens of a statement and their text. */
export class TokenView {
  /** The text. */
  readonly sql: string;
  /** Its significant tokens. */
  readonly tokens: readonly Token[];

  /** @param tokens The significant tokens of `sql`. */
  constructor(sql: string, tokens: readonly Token[]) {
    this.sql = sql;
    this.tokens = tokens;
  }

  /** Whether the token is the operator. */
  is(i: number, operator: string): boolean {
    return isPunct(this.sql, this.tokens[i], operator);
  }

  /** Whether the token is the keyword, given in upper case. */
  isWord(i: number, word: string): boolean {
    return isWord(this.sql, this.tokens[i], word);
  }

  /** Whether the token is one of the keywords. */
  isOneOf(i: number, words: readonly string[]): boolean {
    return words.some((word) => this.isWord(i, word));
  }

  /** The text of a token. */
  text(i: number): string {
    const token = this.tokens[i];
    return token === undefined ? "" : textOf(this.sql, token);
  }

  /** The name or string that a token stands for. */
  name(i: number): string {
    const token = this.tokens[i];
    return token === undefined ? "" : nameOf(this.sql, token);
  }
}

/** The index behind a token, or behind the group that it opens. */
export function behind(view: TokenView, i: number): number {
  return view.is(i, "(") ? groupEnd(view.sql, view.tokens, i) : i + 1;
}
