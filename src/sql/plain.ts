/**
 * Which writes every server's own parser understands. Older servers run a write that their parser
 * does not understand, but keep its RETURNING rows back.
 *
 * @module
 */

import type { Analysis } from "./analyse.ts";
import { TextCache } from "./cache.ts";
import { isKeyword } from "./keywords.ts";
import { significantTokens, type Token } from "./tokenize.ts";
import { isPunct, isWord, textOf } from "./words.ts";

/**
 * Whether a RETURNING write is one of these, in which a value is a placeholder, an unsigned decimal
 * number, a string or NULL, and a name is a word or stands in double quotes; then `RETURNING` with
 * `*` or names with or without an alias.
 *
 * - `INSERT INTO name (names) VALUES (values), …`
 * - `UPDATE name SET name = value, … [WHERE name = value]`
 * - `DELETE FROM name [WHERE name = value]`
 *
 * Answers are cached by text.
 */
export function isPlain({ returning, statements, text }: Analysis): boolean {
  if (!returning || statements !== 1) return false;
  let known = cache.get(text);
  if (known === undefined) {
    known = new PlainParser(text, significantTokens(text).tokens).accepts();
    cache.set(text, known);
  }
  return known;
}

const cache: TextCache<boolean> = new TextCache(1000, 1_000_000);

class PlainParser {
  readonly #sql: string;
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(sql: string, tokens: readonly Token[]) {
    this.#sql = sql;
    this.#tokens = tokens;
  }

  accepts(): boolean {
    return (this.#insert() || this.#update() || this.#delete()) && this.#returning() &&
      this.#at === this.#tokens.length;
  }

  #insert(): boolean {
    return this.#word("INSERT") && this.#word("INTO") && this.#name() &&
      this.#group(() => this.#name()) && this.#word("VALUES") &&
      this.#list(() => this.#group(() => this.#value()));
  }

  #update(): boolean {
    return this.#word("UPDATE") && this.#name() && this.#word("SET") &&
      this.#list(() => this.#name() && this.#equals()) && this.#where();
  }

  #delete(): boolean {
    return this.#word("DELETE") && this.#word("FROM") && this.#name() && this.#where();
  }

  #where(): boolean {
    return !this.#word("WHERE") || (this.#column() && this.#equals());
  }

  #returning(): boolean {
    return this.#word("RETURNING") &&
      (this.#punct("*") || this.#list(() => this.#column() && this.#alias()));
  }

  #equals(): boolean {
    return this.#punct("=") && this.#value();
  }

  #alias(): boolean {
    return !this.#word("AS") || this.#name();
  }

  #column(): boolean {
    if (!this.#name()) return false;
    if (!this.#punct(".")) return true;
    // Servers of 8.26 read `.e` as the exponent of a number.
    return !this.#startsWithE() && this.#name();
  }

  #startsWithE(): boolean {
    const token = this.#tokens[this.#at];
    return token !== undefined && (this.#sql.charCodeAt(token.start) | 32) === 101;
  }

  #group(item: () => boolean): boolean {
    return this.#punct("(") && this.#list(item) && this.#punct(")");
  }

  #list(item: () => boolean): boolean {
    do {
      if (!item()) return false;
    } while (this.#punct(","));
    return true;
  }

  #name(): boolean {
    return this.#take((text, kind) =>
      kind === "quoted"
        ? /^"[^"]+"$/.test(text)
        : kind === "word" && /^[a-z_][a-z0-9_]*$/i.test(text) && !isKeyword(text)
    );
  }

  #value(): boolean {
    return this.#word("NULL") || this.#take((text, kind) =>
      kind === "string" ||
      (kind === "number" && /^[0-9]+(\.[0-9]+)?$/.test(text)) ||
      (kind === "placeholder" && /^(\?[0-9]*|:[a-z][a-z0-9_]*)$/i.test(text))
    );
  }

  #take(fits: (text: string, kind: Token["kind"]) => boolean): boolean {
    const token = this.#tokens[this.#at];
    if (token === undefined || !fits(textOf(this.#sql, token), token.kind)) return false;
    this.#at++;
    return true;
  }

  #word(word: string): boolean {
    if (!isWord(this.#sql, this.#tokens[this.#at], word)) return false;
    this.#at++;
    return true;
  }

  #punct(text: string): boolean {
    if (!isPunct(this.#sql, this.#tokens[this.#at], text)) return false;
    this.#at++;
    return true;
  }
}
