import { significantTokens, type Token } from "./tokenize.ts";

/** The significant tokens of a text, looked at by index; beyond either end there is nothing. */
export class TokenView {
  /** The text. */
  readonly sql: string;
  /** Its tokens without space and comments. */
  readonly tokens: readonly Token[];

  /** @param tokens The significant tokens of `sql`, or some that follow one another. */
  constructor(sql: string, tokens: readonly Token[]) {
    this.sql = sql;
    this.tokens = tokens;
  }

  /** Cuts a text into tokens. */
  static of(sql: string): TokenView {
    return new TokenView(sql, significantTokens(sql).tokens);
  }

  /** The same text with the tokens of a range only. */
  slice(from: number, to?: number): TokenView {
    return new TokenView(this.sql, this.tokens.slice(from, to));
  }

  /** Whether the token is the operator. */
  is(i: number, operator: string): boolean {
    const token = this.tokens[i];
    return token !== undefined && token.kind === "punct" &&
      token.end - token.start === operator.length && this.sql.startsWith(operator, token.start);
  }

  /**
   * Whether the token is a keyword, in any case. A quoted name never is.
   *
   * @param word In upper case.
   */
  isWord(i: number, word: string): boolean {
    const token = this.tokens[i];
    if (token === undefined || token.kind !== "word") return false;
    const { start } = token;
    if (token.end - start !== word.length) return false;
    for (let at = 0; at < word.length; at++) {
      if ((this.sql.charCodeAt(start + at) & ~32) !== (word.charCodeAt(at) & ~32)) return false;
    }
    return true;
  }

  /** Whether the token is one of the keywords, which are in upper case. */
  isOneOf(i: number, words: readonly string[]): boolean {
    return words.some((word) => this.isWord(i, word));
  }

  /** Whether SQLite would take the token for a name: `a`, `"a"`, `` `a` ``, `[a]` and also `'a'`. */
  isName(i: number): boolean {
    const kind = this.tokens[i]?.kind;
    return kind === "word" || kind === "quoted" || kind === "string";
  }

  /** The text of a token. */
  text(i: number): string {
    const token = this.tokens[i];
    return token === undefined ? "" : this.sql.slice(token.start, token.end);
  }

  /** What a name or string stands for: without its quotes, doubled ones once. Of any other token, its text. */
  name(i: number): string {
    const text = this.text(i);
    const kind = this.tokens[i]?.kind;
    if (kind !== "quoted" && kind !== "string") return text;
    const inner = text.slice(1, -1);
    const mark = text.charAt(0);
    return mark === "[" ? inner : inner.replaceAll(mark + mark, mark);
  }

  /** Offset of the first character of a token, the end of the text beyond the last token. */
  start(i: number): number {
    return this.tokens[i]?.start ?? this.sql.length;
  }

  /** Offset behind the last character of a token, the end of the text beyond the last token. */
  end(i: number): number {
    return this.tokens[i]?.end ?? this.sql.length;
  }

  /** The text from one token to the one in front of `to`, "" if there is none. */
  between(from: number, to: number): string {
    const [first, last] = [this.tokens[from], this.tokens[to - 1]];
    return first === undefined || last === undefined ? "" : this.sql.slice(first.start, last.end);
  }

  /** The index of the first token that is the keyword, -1 if there is none. */
  find(word: string, from = 0): number {
    for (let i = from; i < this.tokens.length; i++) if (this.isWord(i, word)) return i;
    return -1;
  }

  /** The index behind a token, or behind the group that it opens. */
  behind(i: number): number {
    return this.is(i, "(") ? this.groupEnd(i) : i + 1;
  }

  /** The index behind the parenthesis that closes the one at `open`, or behind the last token. */
  groupEnd(open: number): number {
    let depth = 0;
    for (let i = open; i < this.tokens.length; i++) {
      if (this.is(i, "(")) depth++;
      else if (this.is(i, ")") && --depth === 0) return i + 1;
    }
    return this.tokens.length;
  }
}
