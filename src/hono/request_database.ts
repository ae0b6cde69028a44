import { called } from "../calls/caller.ts";
import { BATCH, EXECUTE, QUERY, VALUE } from "../calls/checks.ts";
import type { BatchOptions, ExecuteOptions, Executor, QueryOptions } from "../calls/executor.ts";
import type { Client, Session } from "../client/client.ts";
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
  /** What the request's session has seen so far, for a job or another process; `undefined` without the option `session`. */
  readonly bookmark: string | undefined;
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

/** Where it says its session, in the same way. */
const IN_SESSION: unique symbol = Symbol.for("@tangled/rqlite.hono.session");

/** What a plain view says of itself. */
interface View {
  readonly [PLAIN]?: Client;
  readonly [IN_SESSION]?: Session | undefined;
}

/** The client of a variable that is a plain view, of whichever copy. */
export function clientOfView(variable: unknown): Client | undefined {
  return (variable as View | null | undefined)?.[PLAIN];
}

/** Its session, if it has one. */
export function sessionOfView(variable: unknown): Session | undefined {
  return (variable as View | null | undefined)?.[IN_SESSION];
}

/** A {@linkcode RequestDatabase} without a transaction: each call stands for itself. */
export class DirectDatabase implements RequestDatabase {
  /** See {@linkcode RequestDatabase.client}. */
  readonly client: Client;
  readonly #session: Session | undefined;
  /** What makes the calls. */
  readonly #caller: Client;
  readonly #scope: RequestScope;

  /** Sends nothing. */
  constructor(client: Client, scope: RequestScope, session: Session | undefined) {
    this.client = client;
    this.#session = session;
    this.#caller = session ?? client;
    this.#scope = scope;
  }

  /** See {@linkcode clientOfView}. */
  get [PLAIN](): Client {
    return this.client;
  }

  /** See {@linkcode sessionOfView}. */
  get [IN_SESSION](): Session | undefined {
    return this.#session;
  }

  /** See {@linkcode RequestDatabase.bookmark}. */
  get bookmark(): string | undefined {
    return this.#session?.bookmark;
  }

  /** See {@linkcode Executor.query}. */
  query<R = Row>(
    sql: string | SqlFragment,
    params?: Params,
    options?: QueryOptions,
  ): Promise<Result<R>> {
    return called(() => this.#caller.query<R>(sql, params, this.#scope.options(options, QUERY)));
  }

  /** See {@linkcode Executor.execute}. */
  execute<R = Row>(
    sql: string | SqlFragment,
    params?: Params,
    options?: ExecuteOptions,
  ): Promise<Result<R>> {
    return called(() =>
      this.#caller.execute<R>(sql, params, this.#scope.options(options, EXECUTE))
    );
  }

  /** See {@linkcode Executor.batch}. */
  batch<const Statements extends readonly Statement[]>(
    statements: Statements,
    options?: BatchOptions,
  ): Promise<Results<Statements>> {
    return called(() => this.#caller.batch(statements, this.#scope.options(options, BATCH)));
  }

  /** See {@linkcode Executor.first}. */
  first<R = Row>(
    sql: string | SqlFragment,
    params?: Params,
    options?: QueryOptions,
  ): Promise<R | undefined> {
    return called(() => this.#caller.first<R>(sql, params, this.#scope.options(options, QUERY)));
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
      return this.#caller.value<T>(sql, params, given);
    });
  }

  /** See {@linkcode RequestDatabase.transaction}. */
  transaction<T>(
    fn: (tx: Transaction) => Promise<T>,
    options?: TransactionOptions,
  ): Promise<T> {
    return answering(() => this.#caller.transaction(fn, this.#scope.options(options, TRANSACTION)));
  }
}
