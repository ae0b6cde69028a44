import { type Analysis, tokensOf } from "./analyse.ts";
import { isKeyword } from "./keywords.ts";
import type { Prepared } from "./prepare.ts";
import { quotedName } from "./quoting.ts";
import { TextCache } from "./text_cache.ts";
import { TokenView } from "./token_view.ts";
import type { TokenKind } from "./tokenize.ts";

/**
 * Makes every server answer the rows of a RETURNING clause. A server returns them only if its own SQL parser
 * understands the statement; that parser reads up to the first `;`, and of a string marked as returning rows only
 * the last statement is run. So a statement in front that is understood, and that would do nothing, marks it
 * (see `docs/internals/server.md`; rqlite does not document it, hence the option `returningRewrite`).
 *
 * @returns The same statement if it needs nothing.
 */
export function withReturning(prepared: Prepared): Prepared {
  const { analysis, sql } = prepared;
  return anyServerParses(analysis) && sql === analysis.text ? prepared : marked(prepared);
}

/** The same for every statement with RETURNING. */
export function marked(prepared: Prepared): Prepared {
  const { analysis, sql } = prepared;
  if (!analysis.returning || analysis.table === undefined) return prepared;
  return {
    ...prepared,
    sql: `DELETE FROM ${unqualified(analysis.table)} WHERE 0 RETURNING 1; ${sql}`,
  };
}

/** The same for a virtual table, which has RETURNING for INSERT only. */
export function asOfVirtual(prepared: Prepared): Prepared {
  const sql = prepared.sql.replace(
    MARKER,
    (_, table: string) => `INSERT INTO ${table} SELECT * FROM ${table} WHERE 0 RETURNING 1; `,
  );
  return sql === prepared.sql ? prepared : { ...prepared, sql };
}

const MARKER = /^DELETE FROM ("(?:[^"]|"")*") WHERE 0 RETURNING 1; /;

/** The statement without what {@linkcode withReturning} put in front of it. */
function withoutMarker(sql: string): string {
  return sql.replace(MARKER, "");
}

/** The tokens of a statement without what {@linkcode withReturning} put in front of it. */
export function ownTokens({ analysis, sql }: Prepared): TokenView {
  const own = withoutMarker(sql);
  return own === analysis.text ? tokensOf(analysis) : TokenView.of(own);
}

/** The table's own name in the one quoting that every server's parser reads, without the schema. */
function unqualified(table: string): string {
  const view = TokenView.of(table);
  return quotedName(view.name(view.tokens.length - 1));
}

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
export function anyServerParses(analysis: Analysis): boolean {
  const { returning, statements, text } = analysis;
  if (!returning || statements !== 1) return false;
  let known = cache.get(text);
  if (known === undefined) {
    known = new SimpleWriteParser(tokensOf(analysis)).accepts();
    cache.set(text, known);
  }
  return known;
}

const cache: TextCache<boolean> = new TextCache(1000, 1_000_000);

class SimpleWriteParser {
  readonly #view: TokenView;
  #at = 0;

  constructor(view: TokenView) {
    this.#view = view;
  }

  accepts(): boolean {
    return (this.#insert() || this.#update() || this.#delete()) && this.#returning() &&
      this.#at === this.#view.tokens.length;
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
    return this.#view.text(this.#at).toLowerCase().startsWith("e");
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

  #take(fits: (text: string, kind: TokenKind) => boolean): boolean {
    const token = this.#view.tokens[this.#at];
    if (token === undefined || !fits(this.#view.text(this.#at), token.kind)) return false;
    this.#at++;
    return true;
  }

  #word(word: string): boolean {
    if (!this.#view.isWord(this.#at, word)) return false;
    this.#at++;
    return true;
  }

  #punct(text: string): boolean {
    if (!this.#view.is(this.#at, text)) return false;
    this.#at++;
    return true;
  }
}
