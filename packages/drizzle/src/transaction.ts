import type { BatchItem, BatchResponse } from "drizzle-orm/batch";
import { entityKind } from "drizzle-orm/entity";
import type { RelationalSchemaConfig, TablesRelationalConfig } from "drizzle-orm/relations";
import * as core from "drizzle-orm/sqlite-core";
import type { Transaction } from "@tangled/rqlite";
import { refuseConfig, type RqliteTransactionConfig, type RunResult } from "@tangled/rqlite/driver";
import type { RqliteSession } from "./session.ts";

/**
 * What the function of `db.transaction(fn)` is given: the database, as this transaction sees it.
 *
 * @example
 * ```ts
 * import { sql } from "drizzle-orm";
 * import { connect } from "@tangled/rqlite";
 * import { drizzle } from "@tangled/rqlite-drizzle";
 * import { embedded } from "@tangled/rqlite/embedded";
 *
 * const db = drizzle(connect(embedded()));
 * await db.run(sql`CREATE TABLE notes(body TEXT)`);
 * await db.transaction(async (tx) => {
 *   await tx.run(sql`INSERT INTO notes VALUES('kept')`);
 *   await tx.transaction((inner) => inner.rollback()).catch(() => {}); // undoes what inner did, alone
 * });
 * console.log(await db.values(sql`SELECT body FROM notes`)); // [ [ "kept" ] ]
 * await db.$client.close();
 * ```
 */
export class RqliteTransaction<
  TFullSchema extends Record<string, unknown>,
  TSchema extends TablesRelationalConfig,
> extends core.SQLiteTransaction<"async", RunResult, TFullSchema, TSchema> {
  /** Drizzle's name of the class. */
  static override readonly [entityKind]: string = "RqliteTransaction";
  /** The client's transaction: its `id`, `signal` and savepoints. */
  readonly $transaction: Transaction;
  readonly #dialect: core.SQLiteAsyncDialect;
  readonly #session: RqliteSession<TFullSchema, TSchema>;

  /** Made by `transaction()`. */
  constructor(
    tx: Transaction,
    dialect: core.SQLiteAsyncDialect,
    session: RqliteSession<TFullSchema, TSchema>,
    schema: RelationalSchemaConfig<TSchema> | undefined,
    nestedIndex?: number,
  ) {
    super("async", dialect, session, schema, nestedIndex);
    this.$transaction = tx;
    this.#dialect = dialect;
    this.#session = session;
  }

  /**
   * Nested: a savepoint around the function, undone if it throws. Inside of it, use the `tx` that the function is given.
   *
   * @throws {TypeError} If options are given.
   */
  override transaction<T>(
    fn: (tx: RqliteTransaction<TFullSchema, TSchema>) => Promise<T>,
    config?: RqliteTransactionConfig,
  ): Promise<T> {
    try {
      refuseConfig(config);
    } catch (error) {
      return Promise.reject(error);
    }
    const { $transaction, schema, nestedIndex } = this;
    return this.#session.nest(
      $transaction,
      (session, tx) =>
        fn(new RqliteTransaction(tx, this.#dialect, session, schema, nestedIndex + 1)),
    );
  }

  /** Runs all queries as one step of the transaction. */
  batch<U extends BatchItem<"sqlite">, T extends Readonly<[U, ...U[]]>>(
    queries: T,
  ): Promise<BatchResponse<T>> {
    return this.#session.batch<U, T>(queries);
  }
}
