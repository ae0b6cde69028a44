// Cutting rows into requests, in the form that costs the least by the row: statements of many rows, many of them in one
// request, and no more rows in memory than it takes.

import { DatabaseError, OutcomeUnknownError, ProgrammingError } from "../errors.ts";
import { boundStatement, type Statement } from "../sql/statement.ts";
import { type Bindable, described } from "../sql/bindable.ts";
import { MAX_PARAMETERS } from "../sql/placeholders.ts";
import type { Params, Result } from "../sql/value.ts";

/** Rows, one list or object of values for each. */
export type Rows = Iterable<Params> | AsyncIterable<Params>;

/** When a request is full. */
export interface Limits {
  /** How many rows it may hold. */
  readonly rows: number;
  /** Of the values, about as many as in the body. */
  readonly bytes: number;
}

/** Beyond these a request is not cheaper by the row, only larger. */
export const REQUEST: Limits = { rows: 10_000, bytes: 4_000_000 };

/** All rows at once: a transaction is one request in the end, whatever comes before it. */
export const WHOLE: Limits = { rows: Infinity, bytes: Infinity };

/** The most rows of one statement; more of them gain nothing. */
const MOST_ROWS = 100;

/** An INSERT of which several rows can be one statement. */
export interface Pack {
  /** How many rows may be one statement. */
  readonly rows: number;
  /** The statement for some rows, with a `?` for each value. */
  text(rows: number): string;
}

/**
 * An INSERT of rows that are alike.
 *
 * @param head Everything in front of the first row.
 * @param items Of each row: a literal as it is written, or `?`.
 */
export function packed(head: string, items: readonly string[]): Pack {
  const values = items.filter((item) => item === "?").length;
  const row = `(${items.join(",")})`;
  const fitting = Math.floor(MAX_PARAMETERS / Math.max(1, values));
  const rows = Math.min(MOST_ROWS, Math.max(1, fitting));
  const text = (count: number): string => `${head} ${Array(count).fill(row).join(",")}`;
  const full = text(rows);
  return { rows, text: (count) => count === rows ? full : text(count) };
}

/** How rows become statements. */
export interface RowPlan {
  /** The statement of one row, for errors too. */
  readonly sql: string;
  /** How several are one statement; `undefined` where each is one of its own. */
  readonly pack: Pack | undefined;
  /**
   * Adds the values of a row, in the order of the placeholders of {@linkcode pack}.
   *
   * @throws {DatabaseError|TypeError|RangeError} If it is not one of the rows that the plan is for.
   */
  add(row: Params, index: number, to: Bindable[]): void;
}

/** What one request carries. */
export interface Chunk {
  /** All of its statements, in order. */
  readonly statements: readonly Statement[];
  /** How many of the rows it holds. */
  readonly rows: number;
  /** How many are in each statement, but for the last. */
  readonly perStatement: number;
}

/**
 * The requests for some rows. Each row is read once and copied, so the iterable may go on using the same array; the next
 * row is asked for only after a full request was taken. The iterable is ended with it.
 *
 * @param signal Ends the wait for a row, with its reason.
 * @throws {TypeError} If there is nothing to iterate over.
 * @throws {DatabaseError|TypeError|RangeError} Of a row, when it is its turn.
 */
export function cut(
  plan: RowPlan,
  rows: Rows,
  limits: Limits,
  signal?: AbortSignal,
): AsyncGenerator<Chunk> {
  if (isIterable(rows)) return cutRows(plan, rows, limits, signal);
  throw new TypeError(
    `Cannot use \`rows\` as it must be iterable: current value is ${described(rows)}`,
  );
}

async function* cutRows(
  plan: RowPlan,
  rows: Rows,
  limits: Limits,
  signal: AbortSignal | undefined,
): AsyncGenerator<Chunk> {
  let filling = new Filling(plan);
  let index = 0;
  /** Rows of the requests before: when the next row is asked for, they were applied. */
  let taken = 0;
  const isFull = (row: Params): boolean => {
    try {
      filling.add(row, index++);
    } catch (error) {
      throw ofRow(error, index - 1, taken);
    }
    return filling.rows >= limits.rows || filling.bytes >= limits.bytes;
  };
  const take = (): Chunk => {
    const chunk = filling.chunk();
    taken += chunk.rows;
    filling = new Filling(plan);
    return chunk;
  };
  if (Symbol.asyncIterator in rows) {
    const source = signal === undefined ? rows : new Heeding(rows, signal);
    for await (const row of source) if (isFull(row)) yield take();
  } else {
    // `for await` would take three turns of the event loop's queue for each row.
    for (const row of rows) if (isFull(row)) yield take();
  }
  if (filling.rows > 0) yield take();
}

/** A request that is being filled. */
class Filling {
  readonly #plan: RowPlan;
  readonly #statements: Statement[] = [];
  #values: Bindable[] = [];
  #packed = 0;
  rows = 0;
  bytes = 0;

  constructor(plan: RowPlan) {
    this.#plan = plan;
  }

  add(row: Params, index: number): void {
    const values = this.#values;
    let at = values.length;
    this.#plan.add(row, index, values);
    for (; at < values.length; at++) this.bytes += this.#keep(values, at);
    this.rows++;
    const { pack } = this.#plan;
    if (pack === undefined) {
      const { sql } = this.#plan;
      this.bytes += sql.length;
      this.#values = [];
      const params = Array.isArray(row) ? [...row] : { ...row };
      this.#statements.push({ sql, params });
    } else if (++this.#packed === pack.rows) this.#flush(pack);
  }

  chunk(): Chunk {
    const { pack } = this.#plan;
    if (pack !== undefined && this.#packed > 0) this.#flush(pack);
    return { statements: this.#statements, rows: this.rows, perStatement: pack?.rows ?? 1 };
  }

  #flush(pack: Pack): void {
    this.#statements.push(boundStatement(pack.text(this.#packed), this.#values));
    this.#values = [];
    this.#packed = 0;
  }

  /** The size of a value, which nobody else can change any more. */
  #keep(values: Bindable[], at: number): number {
    const value = values[at]!;
    if (typeof value === "string") return value.length + 3;
    if (!(value instanceof Uint8Array)) return 8;
    values[at] = value.slice();
    return 2 * value.length + 3;
  }
}

/** An asynchronous iterable whose reader goes on when a signal fires, whatever its rows wait for. */
class Heeding implements AsyncIterableIterator<Params> {
  readonly #rows: AsyncIterator<Params>;
  readonly #signal: AbortSignal;
  readonly #onAbort: () => void;
  #reject: ((reason: unknown) => void) | undefined;

  constructor(rows: AsyncIterable<Params>, signal: AbortSignal) {
    this.#rows = rows[Symbol.asyncIterator]();
    this.#signal = signal;
    this.#onAbort = () => this.#abort();
    // One for all rows, as there may be millions.
    signal.addEventListener("abort", this.#onAbort);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Params>> {
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      if (this.#signal.aborted) return this.#abort();
      this.#take().then((row) => {
        this.#reject = undefined;
        if (row.done === true) this.#leave();
        resolve(row);
      }, (error) => {
        this.#leave();
        reject(error);
      });
    });
  }

  async return(): Promise<IteratorResult<Params>> {
    this.#leave();
    const ended = this.#end();
    // After a signal nobody waits: it may be a row that never comes, or an end that takes its time.
    if (this.#signal.aborted) ended.catch(() => {});
    else await ended;
    return { done: true, value: undefined };
  }

  /** Whatever an iterator answers or throws. */
  async #take(): Promise<IteratorResult<Params>> {
    return await this.#rows.next();
  }

  async #end(): Promise<void> {
    await this.#rows.return?.();
  }

  #abort(): void {
    const reject = this.#reject;
    // While a request is under way it is the request that ends.
    if (reject === undefined) return;
    void this.return();
    reject(this.#signal.reason);
  }

  #leave(): void {
    this.#reject = undefined;
    this.#signal.removeEventListener("abort", this.#onAbort);
  }
}

/** The error of a row, which says which it was and how many are in. */
function ofRow(error: unknown, index: number, applied: number): unknown {
  if (error instanceof DatabaseError) return Object.assign(error, { rowsApplied: applied });
  const isRange = error instanceof RangeError;
  if (!isRange && !(error instanceof TypeError)) return error;
  const before = applied === 0 ? "" : `: the ${applied} rows before it were applied`;
  return new (isRange ? RangeError : TypeError)(`Row ${index}: ${error.message}${before}`);
}

/**
 * The error of a request in the words of rows, which the caller knows: of statements it knows nothing.
 *
 * @param first The row that the request began with.
 */
export function inRows(error: unknown, plan: RowPlan, chunk: Chunk, first: number): unknown {
  if (!(error instanceof DatabaseError)) return error;
  const { statementIndex, message } = error;
  Reflect.deleteProperty(error, "results");
  Reflect.deleteProperty(error, "statementIndex");
  Object.assign(error, { sql: plan.sql });
  if (error instanceof OutcomeUnknownError) Object.assign(error, { rowsUnknown: chunk.rows });
  if (statementIndex === undefined) return error;
  const from = first + statementIndex * chunk.perStatement;
  const to = Math.min(from + chunk.perStatement, first + chunk.rows) - 1;
  if (from === to) return Object.assign(error, { statementIndex: from });
  // What does not compile is about all of them; of one among several, the server does not say which it was.
  return error instanceof ProgrammingError
    ? error
    : Object.assign(error, { message: `${message} (in one of the rows ${from} to ${to})` });
}

/** Adds what a request changed; -1 once that is not known, as its answer was lost. */
export function addCounts(count: number, results: readonly Result[]): number {
  for (const { rowsAffected } of results) {
    count = count >= 0 && rowsAffected >= 0 ? count + rowsAffected : -1;
  }
  return count;
}

function isIterable(rows: unknown): boolean {
  return typeof rows === "object" && rows !== null &&
    (Symbol.iterator in rows || Symbol.asyncIterator in rows);
}
