import type {
  ConnectionInfo,
  IsolationLevel,
  SqlDriverAdapter,
  SqlQuery,
  SqlQueryable,
  SqlResultSet,
  Transaction as PrismaTransaction,
} from "@prisma/driver-adapter-utils";
import { DriverAdapterError } from "@prisma/driver-adapter-utils";
import type { Client, Executor, Result, Transaction } from "@tangled/rqlite";
import { CELLS } from "@tangled/rqlite/driver";
import { paramsOf } from "./arguments.ts";
import { resultSetOf } from "./columns.ts";
import { adapterError, knownError } from "./errors.ts";
import type { Source, TimestampFormat } from "./options.ts";
import { checkQuery } from "./versions.ts";

/** What Prisma calls the adapter. */
export const NAME = "@tangled/rqlite-prisma";

/** How many parameters a statement of SQLite takes. */
const MOST_PARAMETERS = 32_766;

/** Runs the queries of Prisma, on a client or in a transaction. */
class Queryable implements SqlQueryable {
  /** What Prisma makes SQL for. */
  readonly provider = "sqlite";
  /** The name of this package. */
  readonly adapterName: string = NAME;
  readonly #executor: Executor;
  readonly #inTransaction: boolean;
  readonly #format: TimestampFormat;

  /** Sends nothing. */
  constructor(
    executor: Executor,
    inTransaction: boolean,
    format: TimestampFormat,
  ) {
    this.#executor = executor;
    this.#inTransaction = inTransaction;
    this.#format = format;
  }

  /** Runs a statement for its rows. */
  async queryRaw(query: SqlQuery): Promise<SqlResultSet> {
    const result = await this.#run(query);
    try {
      return resultSetOf(result, this.#format);
    } catch (error) {
      throw adapterError(error, this.#inTransaction);
    }
  }

  /** Runs a statement for the number of rows that it changed. */
  async executeRaw(query: SqlQuery): Promise<number> {
    return (await this.#run(query)).rowsAffected;
  }

  async #run(query: SqlQuery): Promise<Result<unknown>> {
    checkQuery(query);
    const { sql, args, argTypes } = query;
    try {
      return await this.#executor.execute(
        sql,
        paramsOf(args, argTypes, this.#format),
        CELLS,
      );
    } catch (error) {
      throw adapterError(error, this.#inTransaction);
    }
  }
}

/** A connection of Prisma: an object around the client. */
export class RqliteAdapter extends Queryable implements SqlDriverAdapter {
  readonly #source: Source;
  readonly #timestampFormat: TimestampFormat;

  /** Sends nothing. */
  constructor(source: Source, format: TimestampFormat) {
    super(source.client, false, format);
    this.#source = source;
    this.#timestampFormat = format;
  }

  /** Runs the statements of a text as one unit, all of them or none. */
  async executeScript(script: string): Promise<void> {
    try {
      await this.#client.script(script);
    } catch (error) {
      throw adapterError(error, false);
    }
  }

  /**
   * Begins a transaction, without a request; those that may write take turns. Every one is serializable, which is no less
   * than any level that Prisma has.
   */
  async startTransaction(
    isolationLevel?: IsolationLevel,
  ): Promise<PrismaTransaction> {
    if (isolationLevel !== undefined && !LEVELS.includes(isolationLevel)) {
      throw new DriverAdapterError({
        kind: "InvalidIsolationLevel",
        level: isolationLevel,
      });
    }
    try {
      // How long it may take is Prisma's to say, which does not tell.
      const tx = await this.#client.begin({
        driver: true,
        mode: "eager",
        timeoutPer: "statement",
      });
      return new RqliteTransaction(tx, this.#timestampFormat);
    } catch (error) {
      throw adapterError(error, false);
    }
  }

  /** What Prisma has to know of the database. */
  getConnectionInfo(): ConnectionInfo {
    return { maxBindValues: MOST_PARAMETERS, supportsRelationJoins: false };
  }

  /** Closes a client that the adapter made. */
  async dispose(): Promise<void> {
    if (this.#source.owned) await this.#client.close();
  }

  get #client(): Client {
    return this.#source.client;
  }
}

const LEVELS: readonly IsolationLevel[] = [
  "READ UNCOMMITTED",
  "READ COMMITTED",
  "REPEATABLE READ",
  "SNAPSHOT",
  "SERIALIZABLE",
];

/** A transaction of Prisma: nested writes, `$transaction([…])` and `$transaction(async (tx) => …)`. */
class RqliteTransaction extends Queryable implements PrismaTransaction {
  /** Prisma sends no BEGIN or COMMIT: there is no connection that they could be for. */
  readonly options = { usePhantomQuery: true };
  readonly #tx: Transaction;

  /** Sends nothing. */
  constructor(tx: Transaction, format: TimestampFormat) {
    super(tx, true, format);
    this.#tx = tx;
  }

  /** Commits. */
  async commit(): Promise<void> {
    try {
      await this.#tx.commit();
    } catch (error) {
      throw knownError(error, true);
    }
  }

  /** Rolls back, without a request. */
  async rollback(): Promise<void> {
    await this.#tx.rollback();
  }

  /** Sets a savepoint, for a nested `$transaction`. */
  async createSavepoint(name: string): Promise<void> {
    await this.#act(() => this.#tx.savepoint(name));
  }

  /** Undoes what was done since a savepoint. */
  async rollbackToSavepoint(name: string): Promise<void> {
    await this.#act(() => this.#tx.rollbackTo(name));
  }

  /** Forgets a savepoint. */
  async releaseSavepoint(name: string): Promise<void> {
    await this.#act(() => this.#tx.release(name));
  }

  async #act(action: () => Promise<unknown>): Promise<void> {
    try {
      await action();
    } catch (error) {
      throw adapterError(error, true);
    }
  }
}
