import { InterfaceError, ProgrammingError } from "../errors.ts";
import { analyse, changes } from "../sql/analyse.ts";
import type { Client } from "../client/client.ts";
import { ACQUIRE_TIMEOUT } from "../locks/acquire_options.ts";
import type { Lock, LockHandle } from "../locks/lock.ts";
import { withLock } from "../locks/with_lock.ts";
import { isBoolean } from "../options.ts";
import { prepare } from "../sql/prepare_frozen.ts";
import type { Statement } from "../sql/statement.ts";
import type { Params, Result, Value } from "../sql/value.ts";
import { admit } from "../transaction/admit.ts";
import { OpenTransaction, type StatementRunner } from "./open_transaction.ts";
import type { TransactionControl } from "./transaction_control.ts";

/** What the state of a connection is made of. */
export interface ConnectionStateOptions {
  /** What sends everything. */
  readonly client: Client;
  /** What each transaction takes. */
  readonly lock: Lock | undefined;
  /** The caller's own, from `connect`. */
  readonly signal: AbortSignal | undefined;
  /** The client's limit of a call, in milliseconds. */
  readonly timeout: number;
  /** Whether each statement is sent by itself. */
  readonly autocommit: boolean;
}

/** Something that was sent in its turn; the object keeps `await` from waiting for the answer. */
interface Issued<T> {
  readonly answer: Promise<T>;
}

/**
 * The state of a connection: at most one transaction, opened by the first statement that needs one. What is asked of it
 * takes effect in the order of the calls, whether or not the caller waits.
 */
export class ConnectionState {
  readonly #client: Client;
  readonly #lock: Lock | undefined;
  readonly #signal: AbortSignal;
  readonly #lockTimeout: number;
  readonly #closing = new AbortController();
  readonly #steps = new StepQueue();
  #autocommit: boolean;
  #current: OpenTransaction | undefined;
  /** Steps that may open a transaction and have not come to it. */
  #opening = 0;
  /** The commit or rollback that was asked for last. */
  #lastEnd: Promise<unknown> = Promise.resolve();
  #closed: Promise<void> | undefined;

  /** Sends nothing. */
  constructor({ client, lock, signal, timeout, autocommit }: ConnectionStateOptions) {
    this.#client = client;
    this.#lock = lock;
    this.#autocommit = autocommit;
    this.#lockTimeout = Math.min(ACQUIRE_TIMEOUT, timeout);
    const closing = this.#closing.signal;
    this.#signal = signal === undefined ? closing : AbortSignal.any([signal, closing]);
  }

  /** Whether the connection was closed. */
  get closed(): boolean {
    return this.#closed !== undefined;
  }

  /** Whether a transaction is open or about to be. */
  get inTransaction(): boolean {
    return this.#current !== undefined || this.#opening > 0;
  }

  /** Whether each statement is sent by itself. */
  get autocommit(): boolean {
    return this.#autocommit;
  }

  set autocommit(on: boolean) {
    this.check();
    isBoolean(on, "autocommit");
    if (on === this.#autocommit) return;
    if (this.inTransaction) {
      throw new ProgrammingError(
        "Cannot change `autocommit` inside a transaction: commit or roll back first",
      );
    }
    this.#autocommit = on;
  }

  /** @throws {InterfaceError} If the connection is closed. */
  check(): void {
    if (this.closed) throw closedError();
  }

  /** Runs one statement. */
  async execute(sql: string, params: Params | undefined): Promise<Result<Value[]>> {
    this.check();
    if (!this.inTransaction) this.#refuse(sql, params);
    return await this.#run((runner) => runner.execute(sql, params), changes(analyse(sql)));
  }

  /** Runs one request of an `executeMany`. */
  async batch(statements: readonly Statement[]): Promise<Result[]> {
    return await this.#run((runner) => runner.batch(statements), true);
  }

  /** Does what a statement such as `ROLLBACK TO x` asks for, by SQLite's rules. */
  async control(control: TransactionControl): Promise<void> {
    const opens = control.does === "begin" || control.does === "savepoint";
    await this.#inOrder(opens, async () => {
      switch (control.does) {
        case "begin":
          return await this.#begin();
        case "savepoint":
          return await this.#savepoint(control.name);
        default:
          return await this.#controlOpen(control);
      }
    });
  }

  /** Commits the transaction, if there is one. */
  async commit(): Promise<void> {
    await this.#endInOrder((tx) => tx.commit());
  }

  /** Forgets the transaction, if there is one. */
  async rollback(): Promise<void> {
    await this.#endInOrder((tx) => tx.rollback());
  }

  /** Waits for a commit that was asked for, rolls back and closes the client; what else still waits fails. */
  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  async #close(): Promise<void> {
    await this.#lastEnd;
    await this.#current?.rollback();
    this.#closing.abort(closedError());
    await this.#client.close();
    await this.#steps.idle;
    this.#current = undefined;
  }

  /** What is wrong in itself must not open a transaction or wait for a lock; without both the client refuses it. */
  #refuse(sql: string, params: Params | undefined): void {
    if (this.#autocommit && this.#lock === undefined) return;
    const prepared = prepare(params === undefined ? sql : { sql, params }, {
      now: new Date(),
      oneRow: () => true,
    });
    if (!this.#autocommit) admit(prepared);
  }

  async #run<T>(run: (runner: StatementRunner) => Promise<T>, writes: boolean): Promise<T> {
    this.check();
    const { answer } = await this.#inOrder(!this.#autocommit, async (): Promise<Issued<T>> => {
      const tx = this.#current ?? (this.#autocommit ? undefined : await this.#open());
      if (tx !== undefined) return this.#issue(tx, run);
      // By themselves, two requests could overtake each other.
      const alone = issued(this.#alone(run, writes));
      await alone.answer.catch(() => {});
      return alone;
    });
    return await answer;
  }

  #issue<T>(tx: OpenTransaction, run: (runner: StatementRunner) => Promise<T>): Issued<T> {
    const answer = run(tx);
    return issued(tx.issued === 1 ? this.#endIfEmpty(tx, answer) : answer);
  }

  /** A transaction whose only statement failed holds nothing: its lock is of use to others. */
  async #endIfEmpty<T>(tx: OpenTransaction, answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      const empty = tx.issued === 1 && !tx.asked && tx.active;
      if (empty && this.#current === tx) {
        // At once, as the next statement may be on its way.
        this.#current = undefined;
        await tx.rollback();
      }
      throw error;
    }
  }

  /** With a lock, a write of its own waits until no transaction holds it. */
  async #alone<T>(run: (runner: StatementRunner) => Promise<T>, writes: boolean): Promise<T> {
    const runner: StatementRunner = {
      execute: (sql, params) => this.#client.execute<Value[]>(sql, params, { rows: "array" }),
      batch: (statements) => this.#client.batch(statements),
    };
    if (!writes || this.#lock === undefined) return await run(runner);
    const held = (handle: LockHandle): Promise<T> => {
      handle.throwIfLost();
      return run(runner);
    };
    const timeout = this.#lockTimeout;
    return await withLock(this.#lock, held, { signal: this.#signal, timeout });
  }

  async #begin(): Promise<void> {
    if (this.#current !== undefined) {
      throw new ProgrammingError("Cannot start a transaction within a transaction: use SAVEPOINT", {
        code: "SQLITE_ERROR",
      });
    }
    const tx = await this.#open();
    tx.asked = true;
  }

  async #savepoint(name: string): Promise<void> {
    // Without autocommit a transaction is there already, in the sense of PEP 249.
    const opens = this.#current === undefined && this.#autocommit;
    const tx = await this.#open();
    await tx.savepoint(name, opens);
  }

  /** What needs a transaction that is open already. */
  async #controlOpen(control: TransactionControl): Promise<void> {
    const tx = this.#current;
    if (tx === undefined) throw noTransaction(control);
    switch (control.does) {
      case "commit":
        return await this.#end(() => tx.commit());
      case "rollback":
        return await this.#end(() => tx.rollback());
      case "rollbackTo":
        return await tx.rollbackTo(control.name);
      case "release":
        if (tx.openedBy(control.name)) return await this.#end(() => tx.commit());
        return await tx.release(control.name);
    }
  }

  async #open(): Promise<OpenTransaction> {
    if (this.#current !== undefined) return this.#current;
    const lock = this.#lock === undefined ? {} : { lock: this.#lock };
    const tx = await this.#client.begin({
      ...lock,
      signal: this.#signal,
      timeoutPer: "statement",
    });
    if (this.#closing.signal.aborted) {
      await tx.rollback();
      throw this.#closing.signal.reason;
    }
    return this.#current = new OpenTransaction(tx);
  }

  async #endInOrder(end: (tx: OpenTransaction) => Promise<void>): Promise<void> {
    this.check();
    const ended = this.#inOrder(false, async () => {
      const tx = this.#current;
      if (tx !== undefined) await this.#end(() => end(tx));
    });
    this.#lastEnd = ended.catch(() => {});
    await ended;
  }

  /** Whatever becomes of it, the connection is out of the transaction afterwards. */
  async #end(end: () => Promise<void>): Promise<void> {
    try {
      await end();
    } finally {
      this.#current = undefined;
    }
  }

  #inOrder<T>(opens: boolean, step: () => Promise<T>): Promise<T> {
    this.check();
    if (opens) this.#opening++;
    return this.#steps.take(async () => {
      try {
        this.#closing.signal.throwIfAborted();
        return await step();
      } finally {
        if (opens) this.#opening--;
      }
    });
  }
}

/** Steps that begin in the order in which they were asked for, each when the one before has ended. */
class StepQueue {
  #last: Promise<unknown> = Promise.resolve();

  /** All steps so far have ended. */
  get idle(): Promise<unknown> {
    return this.#last;
  }

  /** Runs a step in its turn; what it throws does not keep the next ones from running. */
  take<T>(step: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(step);
    this.#last = turn.catch(() => {});
    return turn;
  }
}

function issued<T>(answer: Promise<T>): Issued<T> {
  // Whoever issued it looks at it a moment later.
  answer.catch(() => {});
  return { answer };
}

function closedError(): InterfaceError {
  return new InterfaceError("The connection is closed: connect() makes another one");
}

/** In SQLite's own words. */
function noTransaction(control: TransactionControl): ProgrammingError {
  const message = "name" in control
    ? `no such savepoint: ${control.name}`
    : `cannot ${control.does} - no transaction is active`;
  return new ProgrammingError(message, { code: "SQLITE_ERROR" });
}
