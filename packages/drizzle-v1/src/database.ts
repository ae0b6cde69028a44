import type { BatchItem, BatchResponse } from "drizzle-orm/batch";
import type { MutationOption } from "drizzle-orm/cache/core";
import { entityKind } from "drizzle-orm/entity";
import type { AnyRelations, EmptyRelations } from "drizzle-orm/relations";
import * as core from "drizzle-orm/sqlite-core";
import type { RqliteClient, RqliteTransactionConfig, RunResult } from "@tangled/rqlite/driver";
import { RqliteSession, type SessionParts } from "./session.ts";
import type { RqliteTransaction } from "./transaction.ts";

/** Drizzle's database over rqlite; made by {@linkcode drizzle}. */
export class RqliteDatabase<
  TRelations extends AnyRelations = EmptyRelations,
  TClient extends RqliteClient = RqliteClient,
> extends core.SQLiteAsyncDatabase<"async", RunResult, TRelations> {
  /** Drizzle's name of the class. */
  static override readonly [entityKind]: string = "RqliteDatabase";
  /** The client, for whatever Drizzle does not do. */
  readonly $client: TClient;

  /** Made by `drizzle()`. */
  constructor(client: TClient, parts: SessionParts<TRelations>) {
    super("async", parts.dialect, new RqliteSession(client, parts), parts.relations);
    this.$client = client;
    const { cache } = parts;
    // As Drizzle's own drivers do: the cache itself is $cache.
    if (cache !== undefined) {
      this.$cache = Object.assign(cache, {
        invalidate: (what: MutationOption) => cache.onMutate(what),
      });
    }
  }

  /**
   * Runs all queries as one unit: all of them or none.
   *
   * @returns What each of them answers.
   * @throws {DatabaseError} Of the first query that failed; nothing was kept.
   * @throws {TypeError} If one of them is no query of Drizzle.
   *
   * @example
   * ```ts
   * import { sql } from "drizzle-orm";
   * import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
   * import { connect } from "@tangled/rqlite";
   * import { drizzle } from "@tangled/rqlite-drizzle-v1";
   * import { embedded } from "@tangled/rqlite/embedded";
   *
   * const users = sqliteTable("users", { id: integer().primaryKey(), name: text().notNull() });
   * const db = drizzle(connect(embedded()));
   * await db.run(sql`CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT NOT NULL)`);
   * const [ada, everybody] = await db.batch([
   *   db.insert(users).values({ name: "Ada" }).returning(),
   *   db.select().from(users),
   * ]);
   * console.log(ada, everybody);
   * await db.$client.close();
   * ```
   */
  batch<U extends BatchItem<"sqlite">, T extends Readonly<[U, ...U[]]>>(
    queries: T,
  ): Promise<BatchResponse<T>> {
    return sessionOf(this).batch<U, T>(queries);
  }

  /**
   * Runs a function as one serializable transaction and commits it; nothing is kept if it throws. On a conflict it throws
   * unless `retries` is given: then the function runs again.
   *
   * @throws {TransactionConflictError} If what was read does not hold any more; nothing was kept.
   * @throws {OutcomeUnknownError} If it cannot be known whether it took effect.
   * @throws {TypeError} If an option is unknown or cannot be honoured.
   *
   * @example
   * ```ts
   * import { eq, sql } from "drizzle-orm";
   * import { integer, sqliteTable } from "drizzle-orm/sqlite-core";
   * import { connect } from "@tangled/rqlite";
   * import { drizzle } from "@tangled/rqlite-drizzle-v1";
   * import { embedded } from "@tangled/rqlite/embedded";
   *
   * const accounts = sqliteTable("accounts", {
   *   id: integer().primaryKey(),
   *   balance: integer().notNull(),
   * });
   * const db = drizzle(connect(embedded()));
   * await db.run(sql`CREATE TABLE accounts(id INTEGER PRIMARY KEY, balance INTEGER NOT NULL)`);
   * await db.insert(accounts).values([{ id: 1, balance: 100 }, { id: 2, balance: 0 }]);
   * await db.transaction(async (tx) => {
   *   const [from] = await tx.select().from(accounts).where(eq(accounts.id, 1));
   *   if (from!.balance < 30) tx.rollback();
   *   await tx.update(accounts).set({ balance: 70 }).where(eq(accounts.id, 1));
   *   await tx.update(accounts).set({ balance: 30 }).where(eq(accounts.id, 2));
   * }, { retries: 10 });
   * await db.$client.close();
   * ```
   */
  override transaction<T>(
    fn: (tx: RqliteTransaction<TRelations>) => Promise<T>,
    config?: RqliteTransactionConfig,
  ): Promise<T> {
    return sessionOf(this).transaction(fn, config);
  }
}

/** No private field: what `withReplicas` makes inherits from a database and has none. */
function sessionOf<TRelations extends AnyRelations>(
  db: core.SQLiteAsyncDatabase<"async", RunResult, TRelations>,
): RqliteSession<TRelations> {
  return db._.session as RqliteSession<TRelations>;
}
