import {
  CompiledQuery,
  createQueryId,
  type Driver,
  IdentifierNode,
  type QueryCompiler,
  RawNode,
  type TransactionSettings,
} from "kysely";
import {
  type Client,
  NotSupportedError,
  ProgrammingError,
  type TransactionOptions,
} from "@tangled/rqlite";
import { RqliteConnection } from "./connection.ts";

/** Kysely's way to the client. Connections cost nothing: each is an object around the client. */
export class RqliteDriver implements Driver {
  readonly #client: Client;
  readonly #owned: boolean;

  /** @param owned Whether `destroy()` closes the client. */
  constructor(client: Client, owned: boolean) {
    this.#client = client;
    this.#owned = owned;
  }

  /** Nothing to do: the client needs no connection. */
  init(): Promise<void> {
    return Promise.resolve();
  }

  /** A new connection; there is no limit. */
  acquireConnection(): Promise<RqliteConnection> {
    return Promise.resolve(new RqliteConnection(this.#client));
  }

  /**
   * Begins a transaction, without a request. Those that may write take turns, as on the one connection of other SQLite
   * dialects, so that those of one client do not conflict.
   *
   * @throws {TimeoutError} If it did not get its turn within the client's `timeout` of transactions.
   * @throws {NotSupportedError} If it cannot be isolated in the way that the settings ask for.
   */
  async beginTransaction(
    connection: RqliteConnection,
    settings: TransactionSettings,
  ): Promise<void> {
    const options = transactionOptions(settings);
    if (connection.inTransaction) {
      throw new ProgrammingError("Cannot begin a transaction as this connection is in one already");
    }
    await connection.act(CompiledQuery.raw("begin"), () => connection.begin(options));
  }

  /** Commits. */
  async commitTransaction(connection: RqliteConnection): Promise<void> {
    await connection.act(CompiledQuery.raw("commit"), () => connection.commit());
  }

  /** Rolls back; once more does nothing. */
  async rollbackTransaction(connection: RqliteConnection): Promise<void> {
    await connection.act(CompiledQuery.raw("rollback"), () => connection.rollback());
  }

  /** Sets a savepoint. */
  async savepoint(
    connection: RqliteConnection,
    name: string,
    compileQuery: QueryCompiler["compileQuery"],
  ): Promise<void> {
    const query = savepointQuery("savepoint", name, compileQuery);
    await connection.act(query, async () => void await connection.transaction.savepoint(name));
  }

  /** Undoes what was done since a savepoint. */
  async rollbackToSavepoint(
    connection: RqliteConnection,
    name: string,
    compileQuery: QueryCompiler["compileQuery"],
  ): Promise<void> {
    const query = savepointQuery("rollback to", name, compileQuery);
    await connection.act(query, () => connection.transaction.rollbackTo(name));
  }

  /** Forgets a savepoint. */
  async releaseSavepoint(
    connection: RqliteConnection,
    name: string,
    compileQuery: QueryCompiler["compileQuery"],
  ): Promise<void> {
    const query = savepointQuery("release", name, compileQuery);
    await connection.act(query, () => connection.transaction.release(name));
  }

  /** Rolls back what was left open. */
  async releaseConnection(connection: RqliteConnection): Promise<void> {
    await connection.rollback();
  }

  /** Closes a client that the dialect made. */
  async destroy(): Promise<void> {
    if (this.#owned) await this.#client.close();
  }
}

/** Every transaction is serializable: these levels are no more than that. */
const LEVELS: readonly unknown[] = [undefined, "serializable", "snapshot"];

function transactionOptions(
  { isolationLevel, accessMode }: TransactionSettings,
): TransactionOptions {
  if (!LEVELS.includes(isolationLevel)) {
    throw new NotSupportedError(
      `Cannot use the isolation level ${JSON.stringify(isolationLevel)} as every transaction is ` +
        "checked at commit: leave it out, or use serializable or snapshot",
    );
  }
  return {
    driver: true,
    mode: "eager", // Kysely wants counts and ids at once
    ...(isolationLevel !== undefined && { isolation: "serializable" }),
    ...(accessMode !== undefined && { readOnly: accessMode === "read only" }),
  };
}

/** The text that Kysely's own dialects send, for the log. */
function savepointQuery(
  command: string,
  name: string,
  compileQuery: QueryCompiler["compileQuery"],
): CompiledQuery {
  const parts = [RawNode.createWithSql(`${command} `), IdentifierNode.create(name)];
  return compileQuery(RawNode.createWithChildren(parts), createQueryId());
}
