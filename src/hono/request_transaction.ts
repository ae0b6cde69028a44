import type { BatchOptions, ExecuteOptions, QueryOptions } from "../client/executor.ts";
import type { Client } from "../database/client.ts";
import { InterfaceError } from "../errors.ts";
import type { Results, SqlFragment, Statement } from "../sql/statement.ts";
import type { Params, Result, Row, Value } from "../sql/value.ts";
import { BEGIN } from "../transaction/options.ts";
import type { Transaction, TransactionOptions } from "../transaction/transaction.ts";
import { HeededPromise } from "../transaction/heeded_promise.ts";
import { answering } from "./conflict.ts";
import type { RequestDatabase } from "./request_database.ts";
import type { RequestScope } from "./request_scope.ts";

/** A {@linkcode RequestDatabase} whose calls are one transaction: opened by the first of them, ended by the middleware. */
export class TransactionalDatabase implements RequestDatabase {
  /** See {@linkcode RequestDatabase.client}. */
  readonly client: Client;
  readonly #scope: RequestScope;
  readonly #options: TransactionOptions;
  #transaction: Promise<Transaction> | undefined;
  #over = false;
  /** Statements that failed, and what told the handler. */
  readonly #failed: { readonly error: unknown; readonly told: HeededPromise<unknown> }[] = [];

  /** Sends nothing. */
  constructor(client: Client, scope: RequestScope, options: TransactionOptions) {
    this.client = client;
    this.#scope = scope;
    this.#options = options;
  }

  /** See {@linkcode Executor.query}. */
  query<R = Row>(
    sql: string | SqlFragment,
    params?: Params,
    options?: QueryOptions,
  ): Promise<Result<R>> {
    return this.#run((tx) => tx.query<R>(sql, params, options));
  }

  /** See {@linkcode Executor.execute}. */
  execute<R = Row>(
    sql: string | SqlFragment,
    params?: Params,
    options?: ExecuteOptions,
  ): Promise<Result<R>> {
    return this.#run((tx) => tx.execute<R>(sql, params, options));
  }

  /** See {@linkcode Executor.batch}. */
  batch<const Statements extends readonly Statement[]>(
    statements: Statements,
    options?: BatchOptions,
  ): Promise<Results<Statements>> {
    return this.#run((tx) => tx.batch(statements, options));
  }

  /** See {@linkcode Executor.first}. */
  first<R = Row>(
    sql: string | SqlFragment,
    params?: Params,
    options?: QueryOptions,
  ): Promise<R | undefined> {
    return this.#run((tx) => tx.first<R>(sql, params, options));
  }

  /** See {@linkcode Executor.value}. */
  value<T = Value>(
    sql: string | SqlFragment,
    params?: Params,
    options?: QueryOptions,
  ): Promise<T | undefined> {
    return this.#run((tx) => tx.value<T>(sql, params, options));
  }

  /** See {@linkcode RequestDatabase.transaction}. */
  transaction<T>(fn: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T> {
    const given = Object.entries(options ?? {}).find(([, value]) => value !== undefined);
    if (given === undefined) return this.#run((tx) => tx.transaction(fn));
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
    if (this.#transaction === undefined) return;
    await answering(async () => {
      const tx = await this.#transaction!;
      // By the handler itself, in a nested transaction, or by what ended the request.
      if (tx.state === "rolledback") return tx.signal.throwIfAborted();
      const failed = this.#failed.find(({ told }) => !told.heeded);
      if (failed !== undefined) throw failed.error;
      if (tx.state !== "committed") await tx.commit();
    });
  }

  /** Ends the transaction after a handler that failed. */
  async rollback(): Promise<void> {
    this.#over = true;
    try {
      await (await this.#transaction)?.rollback();
    } catch {
      // It was never opened; the handler was told, and nothing was written.
    }
  }

  #run<T>(use: (tx: Transaction) => Promise<T>): Promise<T> {
    const result = new HeededPromise<T>((resolve, reject) =>
      answering(() => this.#use(use)).then(resolve, (error: unknown) => {
        this.#failed.push({ error, told: result });
        reject(error);
      })
    );
    // A statement that nobody waits for must not end the process: the commit reports it.
    result.whenSettled(() => {});
    return result;
  }

  async #use<T>(use: (tx: Transaction) => Promise<T>): Promise<T> {
    if (this.#over) {
      throw new InterfaceError(
        "The request's transaction is over: after the answer, as in a streamed body, use `client` of it",
      );
    }
    this.#transaction ??= this.#open();
    return await use(await this.#transaction);
  }

  async #open(): Promise<Transaction> {
    return await this.client.begin(this.#scope.options(this.#options, BEGIN));
  }
}
