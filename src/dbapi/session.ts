import { InterfaceError, ProgrammingError } from "../errors.ts";
import type { Executor } from "../client/executor.ts";
import { changes } from "../client/route.ts";
import type { Client } from "../database/client.ts";
import type { Lock, LockHandle } from "../locks/lock.ts";
import { withLock } from "../locks/with_lock.ts";
import { analyse } from "../sql/analyse.ts";
import { prepare } from "../sql/prepare.ts";
import type { Params, Result, Value } from "../sql/value.ts";
import { admit } from "../transaction/admit.ts";
import type { Transaction } from "../transaction/transaction.ts";
import type { Control } from "./control.ts";
import { Savepoints } from "./savepoints.ts";

/** What a session is made of. */
export interface SessionOptions {
  readonly client: Client;
  readonly lock: Lock | undefined;
  /** The caller's own, from `connect`. */
  readonly signal: AbortSignal | undefined;
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
export class Session {
  readonly #client: Client;
  readonly #lock: Lock | undefined;
  readonly #signal: AbortSignal;
  readonly #closing = new AbortController();
  readonly #savepoints = new Savepoints();
  #autocommit: boolean;
  #tx: Transaction | undefined;
  /** Statements that the transaction was given. */
  #issued = 0;
  /** The transaction was asked for by BEGIN or SAVEPOINT. */
  #explicit = false;
  /** Steps that may open a transaction and have not come to it. */
  #opening = 0;
  #turn: Promise<unknown> = Promise.resolve();
  /** The commit or rollback that was asked for last. */
  #lastEnd: Promise<unknown> = Promise.resolve();
  #closed: Promise<void> | undefined;

  /** Sends nothing. */
  constructor({ client, lock, signal, autocommit }: SessionOptions) {
    this.#client = client;
    this.#lock = lock;
    this.#autocommit = autocommit;
    const closing = this.#closing.signal;
    this.#signal = signal === undefined ? closing : AbortSignal.any([signal, closing]);
  }

  /** Whether the connection was closed. */
  get closed(): boolean {
    return this.#closed !== undefined;
  }

  /** Whether a transaction is open or about to be. */
  get inTransaction(): boolean {
    return this.#tx !== undefined || this.#opening > 0;
  }

  /** Whether each statement is sent by itself. */
  get autocommit(): boolean {
    return this.#autocommit;
  }

  set autocommit(on: boolean) {
    this.check();
    if (typeof on !== "boolean") {
      throw new TypeError(
        `Cannot use \`autocommit\` as it must be a boolean: current value is ${on}`,
      );
    }
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
    const run = (executor: Executor): Promise<Result<Value[]>> =>
      executor.execute<Value[]>(sql, params, { rows: "array" });
    return await this.#use(run, changes(analyse(sql)));
  }

  /** Runs the requests of an `executeMany`, one after another. */
  async batch(run: (executor: Executor) => Promise<Result[]>): Promise<Result[]> {
    return await this.#use(run, true);
  }

  /** Does what a statement such as `ROLLBACK TO x` asks for, by SQLite's rules. */
  async control(control: Control): Promise<void> {
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
    await this.#tx?.rollback();
    this.#closing.abort(closedError());
    await this.#client.close();
    await this.#turn;
    this.#tx = undefined;
  }

  /** What is wrong in itself must not open a transaction, which waits for its lock. */
  #refuse(sql: string, params: Params | undefined): void {
    const prepared = prepare(params === undefined ? sql : { sql, params }, { now: new Date() });
    if (!this.#autocommit) admit(prepared);
  }

  /** Runs something on the transaction, or on the client where each statement stands for itself. */
  async #use<T>(run: (executor: Executor) => Promise<T>, writes: boolean): Promise<T> {
    this.check();
    const opens = !this.#autocommit;
    const { answer } = await this.#inOrder(opens, async (): Promise<Issued<T>> => {
      const tx = this.#tx ?? (this.#autocommit ? undefined : await this.#open());
      if (tx !== undefined) return this.#issue(tx, run);
      // By themselves, two requests could overtake each other.
      const alone = issued(writes ? this.#alone(run) : run(this.#client));
      await alone.answer.catch(() => {});
      return alone;
    });
    return await answer;
  }

  #issue<T>(tx: Transaction, run: (executor: Executor) => Promise<T>): Issued<T> {
    const first = this.#issued++ === 0;
    const answer = run(tx);
    return issued(first ? this.#endIfEmpty(tx, answer) : answer);
  }

  /** A transaction whose only statement failed holds nothing: its lock is of use to others. */
  async #endIfEmpty<T>(tx: Transaction, answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      const empty = this.#issued === 1 && this.#tx === tx && tx.state === "active";
      if (empty && !this.#explicit) await this.#end(() => tx.rollback());
      throw error;
    }
  }

  async #begin(): Promise<void> {
    if (this.#tx !== undefined) {
      throw new ProgrammingError("Cannot start a transaction within a transaction: use SAVEPOINT", {
        code: "SQLITE_ERROR",
      });
    }
    await this.#open();
    this.#explicit = true;
  }

  async #savepoint(name: string): Promise<void> {
    const alone = this.#tx === undefined;
    const tx = await this.#open();
    await tx.savepoint(name);
    // Without autocommit a transaction is there already, in the sense of PEP 249.
    this.#savepoints.set(name, alone && this.#autocommit);
    this.#explicit = true;
  }

  /** What needs a transaction that is open already. */
  async #controlOpen(control: Control): Promise<void> {
    const tx = this.#tx;
    if (tx === undefined) throw noTransaction(control);
    switch (control.does) {
      case "commit":
        return await this.#end(() => tx.commit());
      case "rollback":
        return await this.#end(() => tx.rollback());
      case "rollbackTo":
        await tx.rollbackTo(control.name);
        return this.#savepoints.rollbackTo(control.name);
      case "release":
        if (this.#savepoints.isOutermost(control.name)) return await this.#end(() => tx.commit());
        await tx.release(control.name);
        return this.#savepoints.release(control.name);
    }
  }

  async #open(): Promise<Transaction> {
    if (this.#tx !== undefined) return this.#tx;
    const lock = this.#lock === undefined ? {} : { lock: this.#lock };
    const tx = await this.#client.begin({ ...lock, signal: this.#signal });
    if (this.#closing.signal.aborted) {
      await tx.rollback();
      throw this.#closing.signal.reason;
    }
    this.#issued = 0;
    this.#explicit = false;
    this.#savepoints.clear();
    return this.#tx = tx;
  }

  async #endInOrder(end: (tx: Transaction) => Promise<void>): Promise<void> {
    this.check();
    const ended = this.#inOrder(false, async () => {
      const tx = this.#tx;
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
      this.#tx = undefined;
    }
  }

  /** With a lock, a write of its own waits until no transaction holds it. */
  async #alone<T>(run: (executor: Executor) => Promise<T>): Promise<T> {
    if (this.#lock === undefined) return await run(this.#client);
    const held = (handle: LockHandle): Promise<T> => {
      handle.throwIfLost();
      return run(this.#client);
    };
    return await withLock(this.#lock, held, { signal: this.#signal });
  }

  /** Begins a step when those before it have begun theirs. */
  #inOrder<T>(opens: boolean, step: () => Promise<T>): Promise<T> {
    this.check();
    if (opens) this.#opening++;
    const turn = this.#turn.then(async () => {
      try {
        this.#closing.signal.throwIfAborted();
        return await step();
      } finally {
        if (opens) this.#opening--;
      }
    });
    this.#turn = turn.catch(() => {});
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
function noTransaction(control: Control): ProgrammingError {
  const message = "name" in control
    ? `no such savepoint: ${control.name}`
    : `cannot ${control.does} - no transaction is active`;
  return new ProgrammingError(message, { code: "SQLITE_ERROR" });
}
