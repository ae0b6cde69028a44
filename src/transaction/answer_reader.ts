import { InternalError } from "../errors.ts";
import type { Reply } from "../calls/request.ts";
import { resultsOf } from "../calls/results.ts";
import type { Prepared } from "../sql/prepare.ts";
import type { Result, Value } from "../sql/value.ts";
import type { Knowledge, Sighting } from "../commit/knowledge.ts";
import { type LastRow, OBSERVE, type Observed } from "./guard.ts";
import type { Step } from "./step.ts";
import { type Keys, keysIn } from "./returned_keys.ts";

const NOT_RUN = "it was not run";

/** Walks through an answer; a transaction that was aborted has fewer entries than statements. */
export class AnswerReader {
  readonly #reply: Reply;
  #at = 0;

  /** @param at The statement to begin at. */
  constructor(reply: Reply, at = 0) {
    this.#reply = reply;
    this.#at = at;
  }

  /** Nothing behind was run. */
  get ended(): boolean {
    return this.#reply.first + this.#at >= this.#reply.answer.length;
  }

  /** The error of the next statement. */
  take(): string | undefined {
    if (this.ended) return NOT_RUN;
    return this.#reply.answer.errorAt(this.#reply.first + this.#at++);
  }

  /** The result of the next statement; its error goes to the step, which is not told of it yet. */
  result(
    step: Step,
    settings: Step["settings"],
    prepared: Prepared = step.prepared,
  ): Result | undefined {
    if (this.ended) return undefined;
    const { answer, first } = this.#reply;
    const reply = { answer, first: first + this.#at++ };
    try {
      const place = { positions: [step.index], tried: true };
      const [result] = resultsOf(reply, [prepared], settings, place);
      return result;
    } catch (error) {
      step.error = error;
      return undefined;
    }
  }

  /** The last cells of each row of the next statement, which stays the next. */
  keys({ analysis }: Prepared, key: readonly string[]): Keys | undefined {
    const { answer, first } = this.#reply;
    const at = first + this.#at;
    if (this.ended || answer.errorAt(at) !== undefined) return undefined;
    const { rows } = answer.result(at, { analysis, rows: "array", integers: "auto" });
    return keysIn(rows as unknown as Value[][], key);
  }

  /** What the write before did. */
  observed({ analysis }: Prepared): Observed | undefined {
    if (this.ended) return undefined;
    const row = this.#row(OBSERVE);
    if (row === undefined) return undefined;
    const [changes, rowid] = row as [number | bigint, number | bigint];
    const inserts = analysis.verb === "INSERT" || analysis.verb === "REPLACE";
    return { changes, rowid: inserts && changes !== 0 ? rowid : undefined };
  }

  /** What the next statement tells of the row that was inserted last. */
  lastRow(prepared: Prepared): LastRow | undefined {
    const row = this.ended ? undefined : this.#row(prepared);
    return row && { rowid: row[0], exists: row[1] === 1 };
  }

  /** The digest of the next statement, or why there is none. */
  digest(prepared: Prepared): string | Error {
    if (this.ended) return new Error(NOT_RUN);
    const error = this.#reply.answer.errorAt(this.#reply.first + this.#at);
    const at = this.#at++;
    return error === undefined ? textAt(this.#reply, at, prepared) : new Error(error);
  }

  /** The rows of the next statement as a text in which 0 and -0 differ; `undefined` if it failed. */
  text(prepared: Prepared): string | undefined {
    const table = this.#table(prepared);
    return table && textOf(table);
  }

  /** What the statement before answered. */
  before(prepared: Prepared): Table {
    this.#at--;
    const table = this.#table(prepared);
    if (table === undefined) throw new InternalError("Cannot read an answer once more");
    return table;
  }

  /** How many columns the next statement answers; `undefined` if it failed. */
  columns({ analysis }: Prepared): number | undefined {
    if (this.ended) return undefined;
    const { answer, first } = this.#reply;
    const at = first + this.#at++;
    if (answer.errorAt(at) !== undefined) return undefined;
    return answer.result(at, { analysis, rows: "array", integers: "auto" }).columns.length;
  }

  /** What the node says of itself, where the next statement asks for it. */
  sighting(knowledge: Knowledge): Sighting {
    return knowledge.sighting(this.#reply, this.#at++);
  }

  /** The number that the next statement reads; 0 without a row, `undefined` without a table. */
  number(prepared: Prepared): number | undefined {
    const failed = this.#reply.answer.errorAt(this.#reply.first + this.#at) !== undefined;
    if (failed) this.#at++;
    return failed ? undefined : Number(this.#row(prepared)?.[0] ?? 0);
  }

  #row(prepared: Prepared): readonly unknown[] | undefined {
    return this.#table(prepared)?.rows[0];
  }

  #table({ analysis }: Prepared): Table | undefined {
    const { answer, first } = this.#reply;
    const at = first + this.#at++;
    if (at >= answer.length || answer.errorAt(at) !== undefined) return undefined;
    const { rows, types } = answer.result(at, { analysis, rows: "array", integers: "auto" });
    return { rows: rows as unknown as Value[][], types };
  }
}

/** A result, its integers exact. */
export interface Table {
  /** The values, row by row. */
  readonly rows: readonly (readonly Value[])[];
  /** The declared type of each column; "" where it has none. */
  readonly types: readonly string[];
}

/** A result as a text in which 0 and -0 differ, and an INTEGER and a REAL. */
export function textOf({ rows, types }: Table): string {
  return JSON.stringify([types, rows], (_, cell) => {
    if (Object.is(cell, -0)) return "-0";
    return typeof cell === "bigint" ? `${cell}n` : cell;
  });
}

/** The only value of a result. */
function textAt({ answer, first }: Reply, i: number, { analysis }: Prepared): string {
  const { rows } = answer.result(first + i, { analysis, rows: "array", integers: "auto" });
  const [text] = rows[0] as unknown as readonly unknown[];
  return String(text);
}
