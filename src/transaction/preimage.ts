import { insertParts } from "../schema/statement_parts.ts";
import { analyse } from "../sql/analyse.ts";
import type { Prepared } from "../sql/prepare.ts";
import { ownTokens } from "../sql/returning.ts";
import type { TokenView } from "../sql/token_view.ts";

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
  if (at === undefined) return undefined;
  const parts = insertParts(clauses.view, at);
  if (parts === undefined) return undefined;
  const returning = clauses.find("RETURNING") ?? clauses.end;
  const end = Math.min(returning, clauses.upsertAt ?? returning);
  return asRead(prepared, clauses.before(at) + clauses.text(parts.sourceAt, end));
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
  /** The tokens. */
  readonly view: TokenView;

  constructor(view: TokenView) {
    this.view = view;
  }

  /** Those of a statement, without what makes servers answer its rows. */
  static of(prepared: Prepared): Clauses {
    return new Clauses(ownTokens(prepared));
  }

  /** Behind UPDATE or UPDATE OR …. */
  target(at: number | undefined): number | undefined {
    if (at === undefined) return undefined;
    return this.view.isWord(at + 1, "OR") ? at + 3 : at + 1;
  }

  /** A leading WITH and what it names. */
  before(at: number): string {
    return at === 0 ? "" : `${this.text(0, at)} `;
  }

  /** The index behind the last token. */
  get end(): number {
    return this.view.tokens.length;
  }

  /** The first ON CONFLICT outside of parentheses. */
  get upsertAt(): number | undefined {
    for (let at = this.find("ON"); at !== undefined; at = this.find("ON", at + 1)) {
      if (this.view.isWord(at + 1, "CONFLICT")) return at;
    }
    return undefined;
  }

  /** A keyword outside of parentheses. */
  find(word: string, from = 0): number | undefined {
    for (let i = from; i < this.end; i = this.view.behind(i)) {
      if (this.view.isWord(i, word) && !this.view.isWord(i - 1, "DISTINCT")) return i;
    }
    return undefined;
  }

  /** The text of tokens, each placeholder with its number. */
  text(from: number, to: number): string {
    const { sql } = this.view;
    const start = this.view.start(from);
    const end = this.view.end(to - 1);
    let text = "";
    let at = start;
    for (const { start: open, end: close, index } of analyse(sql).placeholders) {
      if (open < start || close > end) continue;
      text += `${sql.slice(at, open)}?${index}`;
      at = close;
    }
    return text + sql.slice(at, end);
  }
}
