import { type Place, placeAbove, told } from "../calls/error_stacks.ts";
import type { BatchOptions, CallOptions, ExecuteOptions, QueryOptions } from "../calls/executor.ts";
import type { Client, Session } from "../client/client.ts";
import { InterfaceError } from "../errors.ts";
import type { Results, Statement } from "../sql/statement.ts";
import type { SqlFragment } from "../sql/fragment.ts";
import type { Params, Result, Row, Value } from "../sql/value.ts";
import { BEGIN } from "../transaction/options.ts";
import type { Transaction, TransactionOptions } from "../transaction/transaction.ts";
import { TrackedPromise } from "../transaction/tracked_promise.ts";
import { withRequestConflict } from "./errors.ts";
import { firstSignal, type RequestDatabase, type RequestScope } from "./request_database.ts";

/** A call that runs. */
interface Running {
  /** What its caller has. */
  readonly promise: TrackedPromise<unknown>;
  /** Ends it; nothing of it is kept then. */
  readonly end: AbortController;
}

/** A {@linkcode RequestDatabase} whose calls are one transaction: opened by the first of them, ended by the middleware. */
export class TransactionalDatabase implements RequestDatabase {
  /** The client that requests share. */
  readonly client: Client;
  readonly #session: Session | undefined;
  readonly #scope: RequestScope;
  readonly #options: TransactionOptions;
  #transaction: Promise<Transaction> | undefined;
  /** Ends the wait for its turn or its lock, while there is one. */
  #opening: AbortController | undefined;
  #over = false;
  readonly #running = new Set<Running>();
  /** Statements that failed, and the promises that said so. */
  readonly #failed: { readonly error: unknown; readonly promise: TrackedPromise<unknown> }[] = [];

  /** Sends nothing. */
  constructor(
    client: Client,
    scope: RequestScope,
    options: TransactionOptions,
    session: Session | undefined,
  ) {
    this.client = client;
    this.#session = session;
    this.#scope = scope;
    this.#options = options;
  }

  /** What the request's session has seen so far; `undefined` without one. */
  get bookmark(): string | undefined {
    return this.#session?.bookmark;
  }

  /** Reads in the request's transaction. */
  query<R = Row>(
    sql: string | SqlFragment,
    params?: Params,
    options?: QueryOptions,
  ): Promise<Result<R>> {
    return this.#run(
      placeAbove(this.query),
      (tx, end) => tx.query<R>(sql, params, until(end, options)),
    );
  }

  /** Writes in the request's transaction. */
  execute<R = Row>(
    sql: string | SqlFragment,
    params?: Params,
    options?: ExecuteOptions,
  ): Promise<Result<R>> {
    return this.#run(
      placeAbove(this.execute),
      (tx, end) => tx.execute<R>(sql, params, until(end, options)),
    );
  }

  /** Runs all of the statements or none, in the request's transaction. */
  batch<const Statements extends readonly Statement[]>(
    statements: Statements,
    options?: BatchOptions,
  ): Promise<Results<Statements>> {
    return this.#run(
      placeAbove(this.batch),
      (tx, end) => tx.batch(statements, until(end, options)),
    );
  }

  /** Reads the first row; `undefined` if there is none. */
  first<R = Row>(
    sql: string | SqlFragment,
    params?: Params,
    options?: QueryOptions,
  ): Promise<R | undefined> {
    return this.#run(
      placeAbove(this.first),
      (tx, end) => tx.first<R>(sql, params, until(end, options)),
    );
  }

  /** Reads the first value of the first row; `undefined` if there is none. */
  value<T = Value>(
    sql: string | SqlFragment,
    params?: Params,
    options?: Omit<QueryOptions, "rows">,
  ): Promise<T | undefined> {
    return this.#run(
      placeAbove(this.value),
      (tx, end) => tx.value<T>(sql, params, until(end, options)),
    );
  }

  /** Runs a function in a savepoint of the request's transaction. */
  transaction<T>(fn: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T> {
    // What a driver says of itself is no wish of its caller.
    const given = Object.entries(options ?? {}).find(([name, value]) =>
      value !== undefined && name !== "driver"
    );
    if (given === undefined) {
      return this.#run(
        placeAbove(this.transaction),
        (tx, end) => Promise.race([tx.transaction(fn), ended(end)]),
      );
    }
    const message = `Cannot use \`${
      given[0]
    }\` for a transaction within the request's: give it to rqlite()`;
    return Promise.reject(new TypeError(message));
  }

  /**
   * Ends the transaction after a handler that succeeded; what failed for good fails here again, even if the handler has
   * kept it to itself.
   */
  async commit(): Promise<void> {
    this.#over = true;
    const opened = this.#transaction;
    if (opened === undefined) return;
    const left = this.#leave();
    await withRequestConflict(async () => {
      const tx = await opened;
      await left;
      // By the handler itself, in a nested transaction, or by what ended the request.
      if (tx.state === "rolledback") return tx.signal.throwIfAborted();
      const failed = this.#failed.find(({ promise }) => !promise.handled);
      if (failed !== undefined) throw failed.error;
      if (tx.state !== "committed") await tx.commit();
    });
  }

  /** Ends the transaction after a handler that failed. */
  async rollback(): Promise<void> {
    this.#over = true;
    this.#opening?.abort(over());
    try {
      await (await this.#transaction)?.rollback();
    } catch {
      // It was never opened; the handler was told, and nothing was written.
    }
  }

  /**
   * Ends what somebody still waits for although the handler has ended: it goes on after the answer, as a streamed body
   * does, which begins while the handler runs. What nobody waits for is the handler's own.
   */
  async #leave(): Promise<void> {
    const late = [...this.#running].filter(({ promise }) => promise.handled);
    for (const { end } of late) end.abort(over());
    await Promise.allSettled(late.map(({ promise }) => promise));
  }

  #run<T>(place: Place, use: (tx: Transaction, end: AbortSignal) => Promise<T>): Promise<T> {
    const end = new AbortController();
    const result = new TrackedPromise<T>((resolve, reject) =>
      withRequestConflict(() => this.#use(use, end.signal)).then(resolve, (error: unknown) => {
        this.#failed.push({ error, promise: result });
        reject(told(error, place));
      })
    );
    const running = { promise: result, end };
    this.#running.add(running);
    // A statement that nobody waits for must not end the process: the commit reports it.
    result.whenSettled(() => this.#running.delete(running));
    return result;
  }

  async #use<T>(
    use: (tx: Transaction, end: AbortSignal) => Promise<T>,
    end: AbortSignal,
  ): Promise<T> {
    if (this.#over) throw over();
    this.#transaction ??= this.#open();
    const tx = await this.#transaction;
    end.throwIfAborted();
    if (tx.state === "committed") throw over();
    return await use(tx, end);
  }

  async #open(): Promise<Transaction> {
    const opening = this.#opening = new AbortController();
    const options = this.#scope.options(this.#options, BEGIN);
    try {
      return await (this.#session ?? this.client).begin(until(opening.signal, options));
    } finally {
      this.#opening = undefined;
    }
  }
}

function over(): InterfaceError {
  return new InterfaceError(
    "The request's transaction is over: after the answer, as in a streamed body, use `client` of it, " +
      "and before such a body end the transaction: await transaction((tx) => tx.commit())",
  );
}

/** Rejects when the signal fires. The nested transaction goes on, and with it nothing can be committed. */
function ended(end: AbortSignal): Promise<never> {
  return new Promise((_, reject) => end.addEventListener("abort", () => reject(end.reason)));
}

/** The options of a call that something else may end, too; what has the wrong form is left for the call to refuse. */
function until<O extends CallOptions>(end: AbortSignal, options: O | undefined): O {
  const form = typeof options === "object" && options !== null || options === undefined;
  return form ? { ...options, signal: firstSignal(end, options?.signal) } as O : options;
}
