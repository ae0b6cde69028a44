import { INSPECT, shown } from "../calls/shown.ts";
import { called, ofCaller, type Place, placeAbove, told } from "../calls/caller.ts";
import { checkFunction } from "../calls/check_function.ts";
import type { BatchOptions, ExecuteOptions } from "../calls/executor.ts";
import { InterfaceError, TransactionConflictError } from "../errors.ts";
import { readOptions, refusing } from "../options.ts";
import type { Results, SqlFragment, Statement } from "../sql/statement.ts";
import type { Params, Result, Row, Value } from "../sql/value.ts";
import { TRANSACTION } from "./options.ts";
import type {
  Savepoint,
  Transaction,
  TransactionOptions,
  TransactionQueryOptions,
} from "./transaction.ts";

/** A transaction as its handles use it: one list of statements, whoever issued them. */
export interface Whole
  extends Omit<Transaction, "batch" | "transaction" | typeof Symbol.asyncDispose> {
  /** See {@linkcode Executor.batch}. */
  batch(statements: readonly Statement[], options?: BatchOptions): Promise<Result[]>;
  /** It takes statements. */
  readonly open: boolean;
  /** How many statements failed so far. */
  readonly failures: number;
  /** Forgets what was done since a savepoint, the savepoint, and what failed since. */
  undo(savepoint: string, failures: number): Promise<void>;
  /** From now on it cannot be committed; the first reason stays. */
  condemn(error: Error): void;
}

const NESTED = refusing("for a transaction within another: give it to the outermost");

/** What a function is given: the transaction, or a nested one, which knows what is done around it. */
export class TransactionHandle implements Transaction {
  readonly #whole: Whole;
  /** The handles whose functions run, the innermost last. */
  readonly #running: TransactionHandle[];
  /** Its function has ended. */
  #over = false;
  /** Something was issued around it, and would be undone with it. */
  #mixed = false;

  /** @param running What runs around it; without it, this is the outermost. */
  constructor(whole: Whole, running: TransactionHandle[] = []) {
    this.#whole = whole;
    this.#running = running;
    running.push(this);
  }

  /** See {@linkcode Transaction.id}. */
  get id(): string {
    return this.#whole.id;
  }

  /** See {@linkcode Transaction.signal}. */
  get signal(): AbortSignal {
    return this.#whole.signal;
  }

  /** See {@linkcode Transaction.state}. */
  get state(): Transaction["state"] {
    return this.#whole.state;
  }

  /** See {@linkcode Transaction.fencingToken}. */
  get fencingToken(): bigint | undefined {
    return this.#whole.fencingToken;
  }

  /** See {@linkcode Transaction.query}. */
  query<R = Row>(
    sql: string | SqlFragment,
    params?: Params,
    options?: TransactionQueryOptions,
  ): Promise<Result<R>> {
    return this.#issue(placeAbove(this.query), () => this.#whole.query<R>(sql, params, options));
  }

  /** See {@linkcode Transaction.execute}. */
  execute<R = Row>(
    sql: string | SqlFragment,
    params?: Params,
    options?: ExecuteOptions,
  ): Promise<Result<R>> {
    return this.#issue(
      placeAbove(this.execute),
      () => this.#whole.execute<R>(sql, params, options),
    );
  }

  /** See {@linkcode Transaction.batch}. */
  batch<const Statements extends readonly Statement[]>(
    statements: Statements,
    options?: BatchOptions,
  ): Promise<Results<Statements>> {
    const issue = () => this.#whole.batch(statements, options);
    // One for each statement.
    return this.#issue(placeAbove(this.batch), issue as () => Promise<Results<Statements>>);
  }

  /** See {@linkcode Transaction.first}. */
  first<R = Row>(
    sql: string | SqlFragment,
    params?: Params,
    options?: TransactionQueryOptions,
  ): Promise<R | undefined> {
    return this.#issue(placeAbove(this.first), () => this.#whole.first<R>(sql, params, options));
  }

  /** See {@linkcode Transaction.value}. */
  value<T = Value>(
    sql: string | SqlFragment,
    params?: Params,
    options?: Omit<TransactionQueryOptions, "rows">,
  ): Promise<T | undefined> {
    return this.#issue(placeAbove(this.value), () => this.#whole.value<T>(sql, params, options));
  }

  /** See {@linkcode Transaction.savepoint}. */
  savepoint(name?: string): Promise<Savepoint> {
    return called(
      () => this.#enlist(() => this.#whole.savepoint(name)),
      placeAbove(this.savepoint),
    );
  }

  /** See {@linkcode Transaction.rollbackTo}. */
  rollbackTo(savepoint: Savepoint | string): Promise<void> {
    return called(
      () => this.#enlist(() => this.#whole.rollbackTo(savepoint)),
      placeAbove(this.rollbackTo),
    );
  }

  /** See {@linkcode Transaction.release}. */
  release(savepoint: Savepoint | string): Promise<void> {
    return called(
      () => this.#enlist(() => this.#whole.release(savepoint)),
      placeAbove(this.release),
    );
  }

  /** See {@linkcode Transaction.transaction}. */
  transaction<T>(fn: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T> {
    return called(async () => {
      const [name] = Object.keys(readOptions(options, TRANSACTION));
      if (name !== undefined) NESTED(options, name);
      this.#checkRunning();
      checkFunction(fn, "transaction(async (tx) => …)");
      if (!this.#innermost) throw this.#condemned(TWO_AT_ONCE);
      return await new TransactionHandle(this.#whole, this.#running).#run(fn);
    }, placeAbove(this.transaction));
  }

  /** See {@linkcode Transaction.commit}. */
  commit(): Promise<void> {
    return called(async () => {
      this.#checkRunning();
      this.close();
      await this.#whole.commit();
    }, placeAbove(this.commit));
  }

  /** See {@linkcode Transaction.rollback}. */
  rollback(): Promise<void> {
    return called(() => this.#whole.rollback(), placeAbove(this.rollback));
  }

  /** Rolls back what was not committed. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.rollback();
  }

  /** How it is printed. */
  [INSPECT](): string {
    return shown("Transaction", { state: this.state });
  }

  /** Has to be called before the commit: while a nested transaction runs, which may yet be undone, there is none. */
  close(): void {
    if (!this.#innermost) this.#condemned(STILL_RUNS);
  }

  get #innermost(): boolean {
    return this.#running.at(-1) === this;
  }

  /**
   * What is issued has to keep its own promise, which knows whether somebody looked at it; so the engine cannot tell who
   * awaits it, and the call is noted.
   */
  #issue<T>(place: Place, issue: () => Promise<T>): Promise<T> {
    let promise: Promise<T>;
    try {
      promise = this.#enlist(issue);
    } catch (error) {
      promise = Promise.reject(error);
    }
    // Past the promise's own `then`, as this is nobody who looks.
    Promise.prototype.then.call(promise, undefined, (error: unknown) => told(error, place));
    return promise;
  }

  #enlist<T>(issue: () => Promise<T>): Promise<T> {
    this.#checkRunning();
    const inner = this.#running.slice(this.#running.indexOf(this) + 1);
    for (const handle of inner) handle.#mixed = true;
    return issue();
  }

  /** Runs the function of a nested transaction between a savepoint and its release. */
  async #run<T>(fn: (tx: Transaction) => Promise<T>): Promise<T> {
    const name = await this.#enter();
    const { failures } = this.#whole;
    try {
      const result = await this.#call(fn);
      if (this.#whole.open) await this.#whole.release(name);
      this.#leave();
      return result;
    } catch (error) {
      this.#leave();
      if (this.#whole.open) await this.#undo(name, failures, error);
      throw error;
    }
  }

  async #enter(): Promise<string> {
    try {
      return (await this.#whole.savepoint()).name;
    } catch (error) {
      this.#leave();
      throw error;
    }
  }

  async #call<T>(fn: (tx: Transaction) => Promise<T>): Promise<T> {
    try {
      return await ofCaller(() => fn(this));
    } finally {
      this.#over = true;
      if (this.#whole.open) this.close();
    }
  }

  #leave(): void {
    this.#running.splice(this.#running.indexOf(this), 1);
  }

  async #undo(name: string, failures: number, cause: unknown): Promise<void> {
    // A conflict runs everything again, which cures this, too.
    const conflict = cause instanceof TransactionConflictError;
    if (this.#mixed && !conflict) this.#condemned(MIXED);
    try {
      await this.#whole.undo(name, failures);
    } catch (error) {
      this.#condemned(GONE);
      throw error;
    }
  }

  #condemned(message: string): InterfaceError {
    const error = new InterfaceError(message);
    this.#whole.condemn(error);
    return error;
  }

  #checkRunning(): void {
    if (!this.#over) return;
    throw new InterfaceError(
      "The nested transaction is over, its function has ended: use the `tx` of the function that runs",
    );
  }
}

const TWO_AT_ONCE =
  "A nested transaction runs already, so neither could be undone alone and nothing can be committed: " +
  "await one before the other, or begin it with the `tx` of the one that runs";
const STILL_RUNS =
  "A nested transaction still ran at the end of the one around it, so nothing can be committed: await it";
const MIXED =
  "Statements went through the `tx` around a nested transaction that then rejected, so nothing can be committed: " +
  "what they did cannot be told apart from what is undone; use the `tx` that the nested function is given";
const GONE =
  "The savepoint of a nested transaction that rejected is gone, so nothing can be committed: " +
  "inside of it, roll back to savepoints and release savepoints that were set there";
