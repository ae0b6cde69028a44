import type { BatchItem, BatchResponse } from "drizzle-orm/batch";
import { entityKind } from "drizzle-orm/entity";
import type { AnyRelations } from "drizzle-orm/relations";
import * as core from "drizzle-orm/sqlite-core";
import type { SQLiteDialect } from "drizzle-orm/sqlite-core";
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
 * import { drizzle } from "@tangled/rqlite-drizzle-v1";
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
export class RqliteTransaction<TRelations extends AnyRelations>
  extends core.SQLiteAsyncTransaction<"async", RunResult, TRelations> {
  /** Drizzle's name of the class. */
  static override readonly [entityKind]: string = "RqliteTransaction";
  /** The client's transaction: its `id`, `signal` and savepoints. */
  readonly $transaction: Transaction;
  readonly #dialect: SQLiteDialect;
  readonly #session: RqliteSession<TRelations>;
  readonly #relations: TRelations;

  /** Made by `transaction()`. */
  constructor(
    tx: Transaction,
    dialect: SQLiteDialect,
    session: RqliteSession<TRelations>,
    relations: TRelations,
    nestedIndex?: number,
  ) {
    super("async", dialect, session, relations, nestedIndex);
    this.$transaction = tx;
    this.#dialect = dialect;
    this.#session = session;
    this.#relations = relations;
  }

  /**
   * Nested: a savepoint around the function, undone if it throws. Inside of it, use the `tx` that the function is given.
   *
   * @throws {TypeError} If options are given.
   */
  override transaction<T>(
    fn: (tx: RqliteTransaction<TRelations>) => Promise<T>,
    config?: RqliteTransactionConfig,
  ): Promise<T> {
    try {
      refuseConfig(config);
    } catch (error) {
      return Promise.reject(error);
    }
    const [dialect, relations] = [this.#dialect, this.#relations];
    const index = this.nestedIndex + 1;
    return this.#session.nest(
      this.$transaction,
      (session, tx) => fn(new RqliteTransaction(tx, dialect, session, relations, index)),
    );
  }

  /** Runs all queries as one step of the transaction. */
  batch<U extends BatchItem<"sqlite">, T extends Readonly<[U, ...U[]]>>(
    queries: T,
  ): Promise<BatchResponse<T>> {
    return this.#session.batch<U, T>(queries);
  }
}
