/**
 * Cutting the rows of `executeMany` into requests.
 *
 * @module
 */

import { ProgrammingError } from "../errors.ts";
import { analyse, type Analysis } from "../sql/analyse.ts";
import { described } from "../sql/form.ts";
import { refuse } from "../sql/refuse.ts";
import { resolveParams } from "../sql/resolve.ts";
import type { Statement } from "../sql/statement.ts";
import type { Params } from "../sql/value.ts";
import type { Bindable } from "../sql/value_check.ts";
import { type Pack, packOf } from "./pack.ts";

/** Rows, one list or object of values for each. */
export type Rows = Iterable<Params> | AsyncIterable<Params>;

/** What one request carries. */
export interface Chunk {
  readonly statements: readonly Statement[];
  /** How many of the rows it holds. */
  readonly rows: number;
  /** A statement may hold several rows. */
  readonly packed: boolean;
}

/** When a request is full. */
export interface Limits {
  readonly rows: number;
  /** Of the values, about as many as in the body. */
  readonly bytes: number;
}

/** Beyond these a request is not cheaper by the row, only larger. */
export const REQUEST: Limits = { rows: 10_000, bytes: 4_000_000 };

/** All rows at once: a transaction is one request in the end, whatever comes before it. */
export const WHOLE: Limits = { rows: Infinity, bytes: Infinity };

/** What is known of the statement of an `executeMany`. */
export class ManyPlan {
  readonly #sql: string;
  readonly #analysis: Analysis;
  readonly #pack: Pack | undefined;

  /** @throws {ProgrammingError|NotSupportedError} If the statement is not one that writes rows. */
  constructor(sql: string) {
    this.#sql = sql;
    this.#analysis = analyse(sql);
    const refusal = notMany(this.#analysis) ?? refuse(this.#analysis);
    if (refusal !== undefined) throw refusal;
    this.#pack = packOf(sql);
  }

  /**
   * The requests for some rows. Each row is read once and copied, so the iterable may go on using the same array; the
   * next row is asked for only after a full request was taken.
   *
   * @throws {TypeError} If there is nothing to iterate over.
   * @throws {ProgrammingError|TypeError|RangeError} If a row does not match the statement, when it is its turn.
   */
  cut(rows: Rows, limits: Limits): AsyncGenerator<Chunk> {
    if (!isIterable(rows)) {
      throw new TypeError(
        `Cannot use \`rows\` as it must be iterable: current value is ${described(rows)}`,
      );
    }
    return this.#cut(rows, limits);
  }

  async *#cut(rows: Rows, limits: Limits): AsyncGenerator<Chunk> {
    let filling = this.#filling();
    let index = 0;
    /** Rows of the requests before: when the next row is asked for, they were applied. */
    let taken = 0;
    const isFull = (row: Params): boolean => {
      filling.add(this.#values(row, index++, taken), row);
      return filling.rows >= limits.rows || filling.bytes >= limits.bytes;
    };
    const take = (): Chunk => {
      const chunk = filling.chunk();
      taken += chunk.rows;
      filling = this.#filling();
      return chunk;
    };
    if (Symbol.asyncIterator in rows) {
      for await (const row of rows) if (isFull(row)) yield take();
    } else {
      // `for await` would take three turns of the event loop's queue for each row.
      for (const row of rows) if (isFull(row)) yield take();
    }
    if (filling.rows > 0) yield take();
  }

  /** The values of a row in the order of SQLite's numbers; an error says which row it was. */
  #values(row: Params, index: number, applied: number): Bindable[] {
    try {
      return resolveParams(this.#analysis, row, index);
    } catch (error) {
      const isRange = error instanceof RangeError;
      if (!isRange && !(error instanceof TypeError)) throw error;
      const before = applied === 0 ? "" : `: the ${applied} rows before it were applied`;
      throw new (isRange ? RangeError : TypeError)(`Row ${index}: ${error.message}${before}`);
    }
  }

  #filling(): Filling {
    return new Filling(this.#sql, this.#pack);
  }
}

/** A request that is being filled. */
class Filling {
  readonly #sql: string;
  readonly #pack: Pack | undefined;
  readonly #statements: Statement[] = [];
  #values: Bindable[] = [];
  #packed = 0;
  rows = 0;
  bytes = 0;

  constructor(sql: string, pack: Pack | undefined) {
    this.#sql = sql;
    this.#pack = pack;
  }

  add(values: readonly Bindable[], row: Params): void {
    this.rows++;
    for (const value of values) this.bytes += sizeOf(value);
    if (this.#pack === undefined) {
      this.bytes += this.#sql.length;
      const params = Array.isArray(row) ? [...row] : { ...row };
      this.#statements.push({ sql: this.#sql, params });
      return;
    }
    this.#pack.add(values, this.#values);
    if (++this.#packed === this.#pack.rows) this.#flush(this.#pack);
  }

  chunk(): Chunk {
    if (this.#pack !== undefined && this.#packed > 0) this.#flush(this.#pack);
    const packed = this.#pack !== undefined;
    return { statements: this.#statements, rows: this.rows, packed };
  }

  #flush(pack: Pack): void {
    this.#statements.push({ sql: pack.text(this.#packed), params: this.#values });
    this.#values = [];
    this.#packed = 0;
  }
}

function sizeOf(value: Bindable): number {
  if (typeof value === "string") return value.length + 3;
  return value instanceof Uint8Array ? 2 * value.length + 3 : 8;
}

function notMany({ kind, verb, source, problem }: Analysis): ProgrammingError | undefined {
  if (kind === "write" || problem !== undefined) return undefined;
  const what = kind === "empty" ? "an empty statement" : verb;
  return new ProgrammingError(
    `Cannot run ${
      what || "the statement"
    } for many rows, only INSERT, REPLACE, UPDATE and DELETE: call execute()`,
    { sql: source },
  );
}

function isIterable(rows: unknown): boolean {
  return typeof rows === "object" && rows !== null &&
    (Symbol.iterator in rows || Symbol.asyncIterator in rows);
}
