import type { CompiledQuery, DatabaseConnection, QueryResult } from "kysely";
import { analyse } from "@tangled/rqlite/driver";
import {
  type Client,
  type Params,
  ProgrammingError,
  type Transaction,
  type TransactionOptions,
} from "@tangled/rqlite";
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
  readonly #actions: WeakMap<CompiledQuery, () => Promise<void>> = new WeakMap();
  #transaction: Transaction | undefined;

  /** Sends nothing. */
  constructor(client: Client) {
    this.#client = client;
  }

  /**
   * Runs a statement.
   *
   * @throws {ProgrammingError} If it is transaction control, or does not compile.
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
    const analysis = analyse(query.sql);
    if (analysis.kind === "control") throw notControl(query.sql, analysis.verb);
    const target = this.#transaction ?? this.#client;
    const params = query.parameters as Params;
    const call = { rows: "object" as const, ...callOptions(options) };
    try {
      const result = await target.execute(query.sql, params, call);
      // Rows have the type that Kysely inferred.
      return queryResult(result, analysis) as QueryResult<unknown> as QueryResult<R>;
    } catch (error) {
      if (this.#transaction !== undefined) addCaller(error, new Error().stack);
      throw error;
    }
  }

  /** Reads the rows of a SELECT in chunks. */
  async *streamQuery<R>(
    query: CompiledQuery,
    chunkSize?: number,
    options?: QueryCallOptions,
  ): AsyncIterableIterator<QueryResult<R>> {
    const source = { client: this.#client, transaction: this.#transaction };
    const chunks = stream(source, query, chunkSize, callOptions(options));
    for await (const rows of chunks) {
      yield { rows: rows.map(sqliteRow) as unknown[] as R[] };
    }
  }

  /** Lets an action go through the log under the name of a statement. */
  async act(query: CompiledQuery, action: () => Promise<void>): Promise<void> {
    this.#actions.set(query, action);
    await this.executeQuery(query);
  }

  /** What follows goes into a transaction. */
  async begin(options: TransactionOptions): Promise<void> {
    this.#transaction = await this.#client.begin(options);
  }

  /** Whether a transaction began and is not over. */
  get inTransaction(): boolean {
    return this.#transaction !== undefined;
  }

  /** Commits the transaction; on an error it stays, to be rolled back. */
  async commit(): Promise<void> {
    await this.transaction.commit();
    this.#transaction = undefined;
  }

  /** Rolls the transaction back; without one it does nothing, as Kysely also calls it behind a failed commit. */
  async rollback(): Promise<void> {
    await this.#transaction?.rollback();
    this.#transaction = undefined;
  }

  /** @throws {ProgrammingError} If there is none. */
  get transaction(): Transaction {
    if (this.#transaction !== undefined) return this.#transaction;
    throw new ProgrammingError("Cannot do this as the connection is in no transaction");
  }
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

function notControl(sql: string, verb: string): ProgrammingError {
  return new ProgrammingError(
    `Cannot send ${verb} as Kysely's connections are not the server's: ` +
      "use db.transaction() or db.startTransaction(), which has savepoints",
    { sql },
  );
}
