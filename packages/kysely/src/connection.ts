import type { CompiledQuery, DatabaseConnection, Kysely, QueryResult } from "kysely";
import {
  type Client,
  type Executor,
  InterfaceError,
  type Params,
  ProgrammingError,
  type Transaction,
  type TransactionOptions,
} from "@tangled/rqlite";
import { hasMethods } from "@tangled/rqlite/driver";
import { queryResult, sqliteRow } from "./results.ts";
import { stream } from "./stream.ts";

/** What Kysely 0.29 and newer hand over with a query. */
export interface QueryCallOptions {
  /** Aborts the request. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * What Kysely takes for a connection: the client, or its transaction while there is one. Kysely logs what goes through
 * `executeQuery`, so the ends of transactions do too, as texts that are acted upon here and never sent.
 */
export class RqliteConnection implements DatabaseConnection {
  readonly #client: Client;
  readonly #defaults: TransactionOptions;
  readonly #actions: WeakMap<CompiledQuery, () => Promise<void>> = new WeakMap();
  /** What Kysely began. One that is over stays where queries of it may follow that nobody awaited. */
  #transaction: Transaction | undefined;
  /** What it begins next. */
  #lent: Transaction | undefined;
  readonly #running: Set<Promise<unknown>> = new Set();
  #released = false;

  /** @param defaults Of transactions. */
  constructor(client: Client, defaults: TransactionOptions) {
    this.#client = client;
    this.#defaults = { driver: true, ...defaults, mode: "eager" };
  }

  /**
   * Runs a statement.
   *
   * @throws {ProgrammingError} If it is transaction control, or does not compile.
   * @throws {InterfaceError} If the transaction that it was meant for is over.
   */
  async executeQuery<R>(
    query: CompiledQuery,
    options?: QueryCallOptions,
  ): Promise<QueryResult<R>> {
    const action = this.#actions.get(query);
    if (action !== undefined) {
      await action();
      return { rows: [] };
    }
    const [control] = CONTROL.exec(query.sql) ?? [];
    if (control !== undefined) throw notControl(query.sql, control);
    const params = query.parameters as Params;
    const call = { rows: "object" as const, ...callOptions(options) };
    const result = await this.run((executor) => executor.execute(query.sql, params, call));
    // Rows have the type that Kysely inferred.
    return queryResult(result) as QueryResult<unknown> as QueryResult<R>;
  }

  /** Reads the rows of a SELECT in chunks. */
  async *streamQuery<R>(
    query: CompiledQuery,
    chunkSize?: number,
    options?: QueryCallOptions,
  ): AsyncIterableIterator<QueryResult<R>> {
    const executor = this.#executor();
    const pages = executor === this.#client ? this.#client : undefined;
    for await (const rows of stream({ executor, pages }, query, chunkSize, callOptions(options))) {
      yield { rows: rows.map(sqliteRow) as unknown[] as R[] };
    }
  }

  /** Nothing more to do: the signal for which Kysely calls this has ended the request already. */
  cancelQuery(): Promise<void> {
    return Promise.resolve();
  }

  /**
   * Runs something on what queries go to; a transaction is not committed in the meantime.
   *
   * @throws {InterfaceError} If the transaction that it was meant for is over.
   */
  async run<T>(work: (executor: Executor) => Promise<T>): Promise<T> {
    const executor = this.#executor();
    const running = work(executor);
    this.#running.add(running);
    try {
      return await running;
    } catch (error) {
      if (executor !== this.#client) addCaller(error, new Error().stack);
      throw error;
    } finally {
      this.#running.delete(running);
    }
  }

  /** Lets an action go through the log under the name of a statement. */
  async act(query: CompiledQuery, action: () => Promise<void>): Promise<void> {
    this.#actions.set(query, action);
    await this.executeQuery(query);
  }

  /**
   * Runs a function in a transaction of the client, which is the one that Kysely begins in there.
   *
   * @returns What the function answered in the run that took effect.
   */
  async lend<T>(fn: () => Promise<T>, options: TransactionOptions): Promise<T> {
    try {
      return await this.#client.transaction(async (tx) => {
        if (this.#transaction !== undefined) await this.#drain();
        this.#transaction = undefined;
        this.#lent = tx;
        return await fn();
      }, { ...this.#defaults, ...options });
    } finally {
      this.#lent = undefined;
      this.#forget();
    }
  }

  /** What follows goes into a transaction. */
  async begin(settings: TransactionOptions): Promise<void> {
    // Kysely cannot run a function again.
    const { retries: _, ...defaults } = this.#defaults;
    this.#transaction = this.#lent ?? await this.#client.begin({ ...defaults, ...settings });
  }

  /** Whether a transaction began and is not over, or left queries. */
  get inTransaction(): boolean {
    return this.#transaction !== undefined;
  }

  /**
   * Commits the transaction; on an error it stays, to be rolled back. One that is lent is ended by who lent it.
   *
   * @throws {InterfaceError} If a query of it is still running.
   */
  async commit(): Promise<void> {
    const { transaction } = this;
    if (this.#running.size > 0) {
      throw new InterfaceError(
        "Nothing was kept, as the transaction's function ended while a query of it was still running, and others may " +
          "follow: await each of them",
      );
    }
    if (transaction === this.#lent) return;
    await transaction.commit();
    this.#transaction = undefined;
  }

  /** Rolls the transaction back; without one it does nothing, as Kysely also calls it behind a failed commit. */
  async rollback(): Promise<void> {
    if (this.#transaction === this.#lent) return;
    await this.#transaction?.rollback();
    this.#forget();
  }

  /** Ends what was left open; nothing runs here any more. */
  async release(): Promise<void> {
    this.#released = true;
    await this.rollback();
  }

  /**
   * Waits until no query comes any more that the last run did not await: some versions of Kysely send those that wait in
   * its queue even after the end, one behind the other, and they must not get into the next run.
   */
  async #drain(): Promise<void> {
    do {
      await Promise.allSettled(this.#running);
      await new Promise((resolve) => setTimeout(resolve));
    } while (this.#running.size > 0);
  }

  #forget(): void {
    if (this.#running.size === 0) this.#transaction = undefined;
  }

  #executor(): Executor {
    if (!this.#released) return this.#transaction ?? this.#client;
    throw new InterfaceError(
      "Cannot run this as its transaction is over, or its connection was given back: await each query before that",
    );
  }

  /** @throws {ProgrammingError} If there is none. */
  get transaction(): Transaction {
    if (this.#transaction !== undefined) return this.#transaction;
    throw new ProgrammingError("Cannot do this as the connection is in no transaction");
  }
}

// deno-lint-ignore no-explicit-any -- Kysely's own signature.
type AnyKysely = Kysely<any>;

/**
 * Lends a connection of a Kysely: in a transaction that of the transaction.
 *
 * @throws {TypeError} If it is none, or another dialect made it.
 */
export async function withConnection<T>(
  db: AnyKysely,
  work: (connection: RqliteConnection) => Promise<T>,
): Promise<T> {
  checkKysely(db);
  return await db.getExecutor().provideConnection((connection) => {
    if (connection instanceof RqliteConnection) return work(connection);
    throw notOurs();
  });
}

/** @throws {TypeError} If it is no Kysely. */
export function checkKysely(db: AnyKysely): void {
  if (!hasMethods(db, "getExecutor", "connection")) throw notOurs();
}

function notOurs(): TypeError {
  return new TypeError("Cannot use `db` as it must be a Kysely whose dialect is a RqliteDialect");
}

const told: WeakSet<Error> = new WeakSet();

/** A transaction makes its errors apart from its callers, whose lines would be missing. */
function addCaller(error: unknown, here: string | undefined): void {
  if (!(error instanceof Error) || error.stack === undefined || here === undefined) return;
  // One that ends the transaction is thrown to all who wait.
  if (told.has(error)) return;
  told.add(error);
  error.stack += `\n${here.split("\n").slice(2).join("\n")}`;
}

function callOptions({ signal }: QueryCallOptions = {}): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

/** The client refuses it anyway, also behind comments, but knows nothing of what to do in Kysely. */
const CONTROL = /(?<=^\s*)(begin|commit|end|rollback|savepoint|release)\b/i;

function notControl(sql: string, verb: string): ProgrammingError {
  return new ProgrammingError(
    `Cannot send ${verb.toUpperCase()} as Kysely's connections are not the server's: ` +
      "use db.transaction() or db.startTransaction(), which has savepoints",
    { sql },
  );
}
