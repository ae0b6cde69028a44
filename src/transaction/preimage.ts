import { insertParts } from "../schema/statement_parts.ts";
import { analyse } from "../sql/analyse.ts";
import type { Prepared } from "../sql/prepare.ts";
import { withoutMarker } from "../sql/returning.ts";
import { significantTokens, type Token } from "../sql/tokenize.ts";
import { TokenView } from "../sql/view.ts";
import { groupEnd, isWord } from "../sql/words.ts";

/** The rows that an UPDATE or DELETE is about, as a read; `undefined` where its parts cannot be told. */
export function preimageOf(prepared: Prepared): Prepared | undefined {
  const { verb } = prepared.analysis;
  if (verb !== "UPDATE" && verb !== "DELETE") return undefined;
  const clauses = Clauses.of(prepared);
  return asRead(prepared, changed(clauses, verb));
}

/** What an INSERT inserts, as a read; `undefined` where its parts cannot be told. */
export function sourceOf(prepared: Prepared): Prepared | undefined {
  const clauses = Clauses.of(prepared);
  const at = clauses.find("INSERT") ?? clauses.find("REPLACE");
  const parts = at === undefined ? undefined : insertParts(clauses.view, at);
  if (parts === undefined) return undefined;
  const returning = clauses.find("RETURNING") ?? clauses.end;
  const end = Math.min(returning, clauses.upsertAt ?? returning);
  return asRead(prepared, clauses.before(at!) + clauses.text(parts.sourceAt, end));
}

function asRead(prepared: Prepared, read: string | undefined): Prepared | undefined {
  if (read === undefined) return undefined;
  const highest = Math.max(0, ...analyse(read).placeholders.map(({ index }) => index));
  return { analysis: analyse(read), sql: read, params: prepared.params.slice(0, highest) };
}

function changed(clauses: Clauses, verb: "UPDATE" | "DELETE"): string | undefined {
  const at = clauses.find(verb);
  const first = verb === "UPDATE" ? clauses.target(at) : clauses.find("FROM");
  const returning = clauses.find("RETURNING") ?? clauses.end;
  if (at === undefined || first === undefined) return undefined;
  const prefix = clauses.before(at);
  const where = clauses.find("WHERE");
  const rows = where ?? returning;
  const condition = where === undefined ? "" : ` ${clauses.text(where, returning)}`;
  if (verb === "DELETE") return `${prefix}SELECT * ${clauses.text(first, rows)}${condition}`;
  const set = clauses.find("SET");
  if (set === undefined) return undefined;
  const from = clauses.find("FROM", set);
  const others = from === undefined ? "" : `, ${clauses.text(from + 1, rows)}`;
  return `${prefix}SELECT * FROM ${clauses.text(first, set)}${others}${condition}`;
}

/** The clauses of a statement, by the indexes of their first tokens. */
class Clauses {
  readonly #sql: string;
  readonly #tokens: readonly Token[];

  constructor(sql: string, tokens: readonly Token[]) {
    this.#sql = sql;
    this.#tokens = tokens;
  }

  /** Those of a statement, without what makes servers answer its rows. */
  static of(prepared: Prepared): Clauses {
    const sql = withoutMarker(prepared.sql);
    return new Clauses(sql, significantTokens(sql).tokens);
  }

  /** The tokens. */
  get view(): TokenView {
    return new TokenView(this.#sql, this.#tokens);
  }

  /** Behind UPDATE or UPDATE OR …. */
  target(at: number | undefined): number | undefined {
    if (at === undefined) return undefined;
    return isWord(this.#sql, this.#tokens[at + 1], "OR") ? at + 3 : at + 1;
  }

  /** A leading WITH and what it names. */
  before(at: number): string {
    return at === 0 ? "" : `${this.text(0, at)} `;
  }

  /** The index behind the last token. */
  get end(): number {
    return this.#tokens.length;
  }

  /** The first ON CONFLICT outside of parentheses. */
  get upsertAt(): number | undefined {
    for (let at = this.find("ON"); at !== undefined; at = this.find("ON", at + 1)) {
      if (isWord(this.#sql, this.#tokens[at + 1], "CONFLICT")) return at;
    }
    return undefined;
  }

  /** A keyword outside of parentheses. */
  find(word: string, from = 0): number | undefined {
    for (let i = from; i < this.#tokens.length;) {
      const token = this.#tokens[i]!;
      const distinct = isWord(this.#sql, this.#tokens[i - 1], "DISTINCT");
      if (isWord(this.#sql, token, word) && !distinct) return i;
      i = this.#sql[token.start] === "(" ? groupEnd(this.#sql, this.#tokens, i) : i + 1;
    }
    return undefined;
  }

  /** The text of tokens, each placeholder with its number. */
  text(from: number, to: number): string {
    const start = this.#tokens[from]!.start;
    const end = this.#tokens[to - 1]!.end;
    let text = "";
    let at = start;
    for (const { start: open, end: close, index } of analyse(this.#sql).placeholders) {
      if (open < start || close > end) continue;
      text += `${this.#sql.slice(at, open)}?${index}`;
      at = close;
    }
    return text + this.#sql.slice(at, end);
  }
}
