import { called } from "../client/caller.ts";
import { BATCH, EXECUTE, QUERY, VALUE } from "../client/checks.ts";
import type { BatchOptions, ExecuteOptions, Executor, QueryOptions } from "../client/executor.ts";
import type { Client } from "../database/client.ts";
import type { Results, SqlFragment, Statement } from "../sql/statement.ts";
import type { Params, Result, Row, Value } from "../sql/value.ts";
import { TRANSACTION } from "../transaction/options.ts";
import type { Transaction, TransactionOptions } from "../transaction/transaction.ts";
import { answering } from "./conflict.ts";
import type { RequestScope } from "./request_scope.ts";

/** The database as one request sees it: its calls end with the request and within its time. */
export interface RequestDatabase extends Executor {
  /**
   * The client that requests share: for what outlives this one, such as a streamed body, and for `ready()`. What it does
   * is no part of the request's transaction and does not wait for it: commit before a body that is streamed, by
   * `transaction((tx) => tx.commit())`.
   */
  readonly client: Client;
  /** See {@linkcode Executor.batch}; for a tuple of statements it answers a tuple of results. */
  batch<const Statements extends readonly Statement[]>(
    statements: Statements,
    options?: BatchOptions,
  ): Promise<Results<Statements>>;
  /**
   * See {@linkcode Client.transaction}. Where the request has a transaction, this is a savepoint within it and takes no
   * options.
   *
   * @throws {RequestConflictError} If every run conflicted; nothing was kept.
   */
  transaction<T>(fn: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T>;
}

/** Where a plain view says its client, in every copy of the package. */
const PLAIN: unique symbol = Symbol.for("@tangled/rqlite.hono.plain");

/** The client of a variable that is a plain view, of whichever copy. */
export function clientOfView(variable: unknown): Client | undefined {
  return (variable as { readonly [PLAIN]?: Client } | null | undefined)?.[PLAIN];
}

/** A {@linkcode RequestDatabase} without a transaction: each call stands for itself. */
export class DirectDatabase implements RequestDatabase {
  /** See {@linkcode RequestDatabase.client}. */
  readonly client: Client;
  readonly #scope: RequestScope;

  /** Sends nothing. */
  constructor(client: Client, scope: RequestScope) {
    this.client = client;
    this.#scope = scope;
  }

  /** See {@linkcode clientOfView}. */
  get [PLAIN](): Client {
    return this.client;
  }

  /** See {@linkcode Executor.query}. */
  query<R = Row>(
    sql: string | SqlFragment,
    params?: Params,
    options?: QueryOptions,
  ): Promise<Result<R>> {
    return called(() => this.client.query<R>(sql, params, this.#scope.options(options, QUERY)));
  }

  /** See {@linkcode Executor.execute}. */
  execute<R = Row>(
    sql: string | SqlFragment,
    params?: Params,
    options?: ExecuteOptions,
  ): Promise<Result<R>> {
    return called(() => this.client.execute<R>(sql, params, this.#scope.options(options, EXECUTE)));
  }

  /** See {@linkcode Executor.batch}. */
  batch<const Statements extends readonly Statement[]>(
    statements: Statements,
    options?: BatchOptions,
  ): Promise<Results<Statements>> {
    return called(() => this.client.batch(statements, this.#scope.options(options, BATCH)));
  }

  /** See {@linkcode Executor.first}. */
  first<R = Row>(
    sql: string | SqlFragment,
    params?: Params,
    options?: QueryOptions,
  ): Promise<R | undefined> {
    return called(() => this.client.first<R>(sql, params, this.#scope.options(options, QUERY)));
  }

  /** See {@linkcode Executor.value}. */
  value<T = Value>(
    sql: string | SqlFragment,
    params?: Params,
    options?: Omit<QueryOptions, "rows">,
  ): Promise<T | undefined> {
    return called(() => {
      // The form of rows that is the default of the request's other calls.
      const { rows: _, ...given } = this.#scope.options<QueryOptions>(options, VALUE);
      return this.client.value<T>(sql, params, given);
    });
  }

  /** See {@linkcode RequestDatabase.transaction}. */
  transaction<T>(
    fn: (tx: Transaction) => Promise<T>,
    options?: TransactionOptions,
  ): Promise<T> {
    return answering(() => this.client.transaction(fn, this.#scope.options(options, TRANSACTION)));
  }
}
