import { CompiledQuery, type Driver, type IsolationLevel, type TransactionSettings } from "kysely";
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
  readonly #defaults: TransactionOptions;

  /**
   * @param owned Whether `destroy()` closes the client.
   * @param defaults Of transactions.
   */
  constructor(client: Client, owned: boolean, defaults: TransactionOptions) {
    this.#client = client;
    this.#owned = owned;
    this.#defaults = defaults;
  }

  /** Nothing to do: the client needs no connection. */
  init(): Promise<void> {
    return Promise.resolve();
  }

  /** A new connection; there is no limit. */
  acquireConnection(): Promise<RqliteConnection> {
    return Promise.resolve(new RqliteConnection(this.#client, this.#defaults));
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
    const options = settingsOf(settings);
    if (connection.inTransaction) {
      throw new ProgrammingError(
        "Cannot begin a transaction as this connection is in one, or queries of the last one are still running",
      );
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
  async savepoint(connection: RqliteConnection, name: string): Promise<void> {
    const query = savepointQuery("savepoint", name);
    await connection.act(query, async () => void await connection.transaction.savepoint(name));
  }

  /** Undoes what was done since a savepoint. */
  async rollbackToSavepoint(connection: RqliteConnection, name: string): Promise<void> {
    const query = savepointQuery("rollback to", name);
    await connection.act(query, () => connection.transaction.rollbackTo(name));
  }

  /** Forgets a savepoint. */
  async releaseSavepoint(connection: RqliteConnection, name: string): Promise<void> {
    const query = savepointQuery("release", name);
    await connection.act(query, () => connection.transaction.release(name));
  }

  /** Rolls back what was left open. */
  async releaseConnection(connection: RqliteConnection): Promise<void> {
    await connection.release();
  }

  /** Closes a client that the dialect made. */
  async destroy(): Promise<void> {
    if (this.#owned) await this.#client.close();
  }
}

/**
 * What a level asks for. Every transaction reads what was committed, and its own writes; where reads have to stay as they
 * were, they are checked at commit, which is more than any level below "serializable" asks for.
 */
const LEVELS: Readonly<Record<IsolationLevel, TransactionOptions["isolation"]>> = {
  "read uncommitted": undefined,
  "read committed": undefined,
  "repeatable read": "serializable",
  snapshot: "serializable",
  serializable: "serializable",
};

function settingsOf({ isolationLevel, accessMode }: TransactionSettings): TransactionOptions {
  if (isolationLevel !== undefined && !Object.hasOwn(LEVELS, isolationLevel)) {
    throw new NotSupportedError(
      `Cannot use the isolation level ${JSON.stringify(isolationLevel)} as it is unknown: ` +
        `use one of ${Object.keys(LEVELS).join(", ")}`,
    );
  }
  const isolation = isolationLevel && LEVELS[isolationLevel];
  return {
    ...(isolation !== undefined && { isolation }),
    ...(accessMode !== undefined && { readOnly: accessMode === "read only" }),
  };
}

/** The text that Kysely's own dialects send, for the log. */
function savepointQuery(command: string, name: string): CompiledQuery {
  return CompiledQuery.raw(`${command} "${name.replaceAll('"', '""')}"`);
}
