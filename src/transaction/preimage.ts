import { analyse } from "../sql/analyse.ts";
import type { Prepared } from "../sql/prepare.ts";
import { withoutMarker } from "../sql/returning.ts";
import { significantTokens, type Token } from "../sql/tokenize.ts";
import { groupEnd, isWord } from "../sql/words.ts";

/**
 * The rows that an UPDATE or DELETE with RETURNING is about, as a read: while they are the same, so is what it returns.
 *
 * @returns `undefined` for other statements, and for those that also read elsewhere, by a SELECT within.
 */
export function preimageOf(prepared: Prepared): Prepared | undefined {
  const { returning, verb } = prepared.analysis;
  if (!returning || (verb !== "UPDATE" && verb !== "DELETE")) return undefined;
  const sql = withoutMarker(prepared.sql);
  const { tokens } = significantTokens(sql);
  if (tokens.some((token) => isWord(sql, token, "SELECT"))) return undefined;
  const read = readOf(new Clauses(sql, tokens), verb);
  if (read === undefined) return undefined;
  const highest = Math.max(0, ...analyse(read).placeholders.map(({ index }) => index));
  return { analysis: analyse(read), sql: read, params: prepared.params.slice(0, highest) };
}

function readOf(clauses: Clauses, verb: "UPDATE" | "DELETE"): string | undefined {
  const first = verb === "UPDATE" ? clauses.target() : clauses.find("FROM");
  const returning = clauses.find("RETURNING");
  if (first === undefined || returning === undefined) return undefined;
  const where = clauses.find("WHERE");
  const rows = where ?? returning;
  const condition = where === undefined ? "" : ` ${clauses.text(where, returning)}`;
  if (verb === "DELETE") return `SELECT * ${clauses.text(first, rows)}${condition}`;
  const set = clauses.find("SET");
  if (set === undefined) return undefined;
  const from = clauses.find("FROM", set);
  const others = from === undefined ? "" : `, ${clauses.text(from + 1, rows)}`;
  return `SELECT * FROM ${clauses.text(first, set)}${others}${condition}`;
}

/** The clauses of a statement, by the indexes of their first tokens. */
class Clauses {
  readonly #sql: string;
  readonly #tokens: readonly Token[];

  constructor(sql: string, tokens: readonly Token[]) {
    this.#sql = sql;
    this.#tokens = tokens;
  }

  /** Behind UPDATE or UPDATE OR …; none where a WITH comes first. */
  target(): number | undefined {
    if (!isWord(this.#sql, this.#tokens[0], "UPDATE")) return undefined;
    return isWord(this.#sql, this.#tokens[1], "OR") ? 3 : 1;
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
