import { INSPECT, shown } from "../calls/shown.ts";
import { called, ofCaller, type Place, placeAbove, told } from "../calls/error_stacks.ts";
import { checkFunction } from "../calls/checks.ts";
import { asCells, type BatchOptions, type ExecuteOptions, valueOf } from "../calls/executor.ts";
import { InterfaceError, TransactionConflictError } from "../errors.ts";
import { readOptions, refusing } from "../options.ts";
import { type Results, type Statement, statementList, statementOf } from "../sql/statement.ts";
import type { SqlFragment } from "../sql/fragment.ts";
import type { Params, Result, Row, Value } from "../sql/value.ts";
import { TRANSACTION } from "./options.ts";
import { TX_BATCH, TX_EXECUTE, TX_QUERY, TX_VALUE } from "./statement_options.ts";
import { type NestedEvent, type NestedState, nextNested } from "./states.ts";
import type { Statements } from "./statements.ts";
import type {
  Savepoint,
  Transaction,
  TransactionOptions,
  TransactionQueryOptions,
} from "./transaction.ts";

/** The transaction that several handles stand for. */
export interface Core
  extends Pick<Transaction, "id" | "signal" | "state" | "fencingToken" | "commit" | "rollback"> {
  /** What is issued in it, by whichever handle. */
  readonly statements: Statements;
  /** It takes statements. */
  readonly open: boolean;
  /** From now on it cannot be committed; the first reason stays. */
  doom(error: Error): void;
}

const NESTED = refusing("for a transaction within another: give it to the outermost");

/**
 * What a function is given: the transaction, or a nested one. It reads what its methods are given, issues statements into
 * the one list of the transaction, and knows what is done around a nested one.
 */
export class TransactionHandle implements Transaction {
  readonly #core: Core;
  /** The handles whose functions run, the innermost last. */
  readonly #running: TransactionHandle[];
  #state: NestedState = "running";

  /** @param running What runs around it; without it, this is the outermost. */
  constructor(core: Core, running: TransactionHandle[] = []) {
    this.#core = core;
    this.#running = running;
    running.push(this);
  }

  /** Names the commit, for `client.outcome(id)`. @throws {InterfaceError} If no node has answered the client yet. */
  get id(): string {
    return this.#core.id;
  }

  /** Fires when the caller aborts, the deadline passes or the lock is lost. */
  get signal(): AbortSignal {
    return this.#core.signal;
  }

  /** Where the whole transaction stands. */
  get state(): Transaction["state"] {
    return this.#core.state;
  }

  /** The version that the commit will carry, with a lock or scope and once something was read. */
  get fencingToken(): bigint | undefined {
    return this.#core.fencingToken;
  }

  /** Reads rows, which have to be the same at commit. */
  query<R = Row>(
    sql: string | SqlFragment,
    params?: Params,
    options?: TransactionQueryOptions,
  ): Promise<Result<R>> {
    return this.#issue(placeAbove(this.query), (statements) => {
      const form = statementOf(sql, params);
      const issue = { operation: "query", options: readOptions(options, TX_QUERY) } as const;
      // Rows have the type that the caller named with R, here and below.
      return statements.issue(issue, form) as Promise<unknown> as Promise<Result<R>>;
    });
  }

  /** Runs a statement, and answers what it changed and the rows of its RETURNING. */
  execute<R = Row>(
    sql: string | SqlFragment,
    params?: Params,
    options?: ExecuteOptions,
  ): Promise<Result<R>> {
    return this.#issue(placeAbove(this.execute), (statements) => {
      const form = statementOf(sql, params);
      const issue = { operation: "execute", options: readOptions(options, TX_EXECUTE) } as const;
      return statements.issue(issue, form) as Promise<unknown> as Promise<Result<R>>;
    });
  }

  /** Runs statements as one unit, or with `atomic: false` each for itself. */
  batch<const Statements extends readonly Statement[]>(
    statements: Statements,
    options?: BatchOptions,
  ): Promise<Results<Statements>> {
    return this.#issue(placeAbove(this.batch), (issued) => {
      const forms = statementList(statements);
      const issue = { operation: "batch", options: readOptions(options, TX_BATCH) } as const;
      // There is one result for each statement.
      return issued.issueAll(issue, forms, (results) => results as Results<Statements>);
    });
  }

  /** Reads the first row; all rows that there are have to be the same at commit. */
  first<R = Row>(
    sql: string | SqlFragment,
    params?: Params,
    options?: TransactionQueryOptions,
  ): Promise<R | undefined> {
    return this.#issue(placeAbove(this.first), (statements) => {
      const form = statementOf(sql, params);
      const issue = { operation: "first", options: readOptions(options, TX_QUERY) } as const;
      return statements.issueAll(issue, [form], ([result]) => result?.rows[0] as R | undefined);
    });
  }

  /** Reads the first column of the first row; all rows that there are have to be the same at commit. */
  value<T = Value>(
    sql: string | SqlFragment,
    params?: Params,
    options?: Omit<TransactionQueryOptions, "rows">,
  ): Promise<T | undefined> {
    return this.#issue(placeAbove(this.value), (statements) => {
      const form = statementOf(sql, params);
      const issue = {
        operation: "value",
        options: asCells(readOptions(options, TX_VALUE)),
      } as const;
      return statements.issueAll(issue, [form], ([result]) => result && valueOf<T>(result));
    });
  }

  /** Sets a savepoint. @param name Unique if it is left out. */
  savepoint(name?: string): Promise<Savepoint> {
    return called(() => this.#enlist((to) => to.savepoint(name)), placeAbove(this.savepoint));
  }

  /** Undoes what was done since a savepoint, which stays. @throws {ProgrammingError} If there is none of that name. */
  rollbackTo(savepoint: Savepoint | string): Promise<void> {
    return called(
      () => this.#enlist((to) => to.rollbackTo(savepoint)),
      placeAbove(this.rollbackTo),
    );
  }

  /** Forgets a savepoint; what was done since stays. @throws {ProgrammingError} If there is none of that name. */
  release(savepoint: Savepoint | string): Promise<void> {
    return called(() => this.#enlist((to) => to.release(savepoint)), placeAbove(this.release));
  }

  /**
   * Runs a function as a nested transaction: a savepoint around it, undone if it throws.
   *
   * @throws {InterfaceError} If another nested transaction runs that was not begun around this one.
   */
  transaction<T>(fn: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T> {
    return called(async () => {
      const [name] = Object.keys(readOptions(options, TRANSACTION));
      if (name !== undefined) NESTED(options, name);
      this.#move("use");
      checkFunction(fn, "transaction(async (tx) => …)");
      if (!this.#innermost) throw this.#doomed(TWO_AT_ONCE);
      return await new TransactionHandle(this.#core, this.#running).#run(fn);
    }, placeAbove(this.transaction));
  }

  /** Applies everything as one unit; while a nested transaction runs nothing can be committed. */
  commit(): Promise<void> {
    return called(async () => {
      this.#move("use");
      this.close();
      await this.#core.commit();
    }, placeAbove(this.commit));
  }

  /** Forgets everything, also what was done by other handles. */
  rollback(): Promise<void> {
    return called(() => this.#core.rollback(), placeAbove(this.rollback));
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
    if (!this.#innermost) this.#doomed(STILL_RUNS);
  }

  get #innermost(): boolean {
    return this.#running.at(-1) === this;
  }

  /**
   * What is issued has to keep its own promise, which knows whether somebody looked at it; so the engine cannot tell who
   * awaits it, and the call is noted.
   */
  #issue<T>(place: Place, issue: (statements: Statements) => Promise<T>): Promise<T> {
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

  #enlist<T>(issue: (statements: Statements) => Promise<T>): Promise<T> {
    this.#move("use");
    const inner = this.#running.slice(this.#running.indexOf(this) + 1);
    for (const handle of inner) handle.#move("go around");
    return issue(this.#core.statements);
  }

  #move(event: NestedEvent): void {
    this.#state = nextNested(this.#state, event);
  }

  /** Runs the function of a nested transaction between a savepoint and its release. */
  async #run<T>(fn: (tx: Transaction) => Promise<T>): Promise<T> {
    const name = await this.#enter();
    const { failures } = this.#core.statements;
    try {
      const result = await this.#call(fn);
      if (this.#core.open) await this.#core.statements.release(name);
      this.#leave();
      return result;
    } catch (error) {
      this.#leave();
      if (this.#core.open) await this.#undo(name, failures, error);
      throw error;
    }
  }

  async #enter(): Promise<string> {
    try {
      return (await this.#core.statements.savepoint()).name;
    } catch (error) {
      this.#leave();
      throw error;
    }
  }

  async #call<T>(fn: (tx: Transaction) => Promise<T>): Promise<T> {
    try {
      return await ofCaller(() => fn(this));
    } finally {
      this.#move("end");
      if (this.#core.open) this.close();
    }
  }

  #leave(): void {
    this.#running.splice(this.#running.indexOf(this), 1);
  }

  async #undo(name: string, failures: number, cause: unknown): Promise<void> {
    // A conflict runs everything again, which cures this, too.
    const conflict = cause instanceof TransactionConflictError;
    if (this.#state === "over, mixed" && !conflict) this.#doomed(MIXED);
    try {
      await this.#core.statements.undo(name, failures);
    } catch (error) {
      this.#doomed(GONE);
      throw error;
    }
  }

  #doomed(message: string): InterfaceError {
    const error = new InterfaceError(message);
    this.#core.doom(error);
    return error;
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
