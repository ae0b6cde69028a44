import type { BatchItem, BatchResponse } from "drizzle-orm/batch";
import type { MutationOption } from "drizzle-orm/cache/core";
import { entityKind } from "drizzle-orm/entity";
import type { ExtractTablesWithRelations } from "drizzle-orm/relations";
import * as core from "drizzle-orm/sqlite-core";
import type { RqliteClient, RqliteTransactionConfig, RunResult } from "@tangled/rqlite/driver";
import { RqliteSession, type SessionParts } from "./session.ts";
import type { RqliteTransaction } from "./transaction.ts";

/** Drizzle's database over rqlite; made by {@linkcode drizzle}. */
export class RqliteDatabase<
  TSchema extends Record<string, unknown> = Record<string, never>,
  TClient extends RqliteClient = RqliteClient,
> extends core.BaseSQLiteDatabase<"async", RunResult, TSchema> {
  /** Drizzle's name of the class. */
  static override readonly [entityKind]: string = "RqliteDatabase";
  /** The client, for whatever Drizzle does not do. */
  readonly $client: TClient;
  readonly #session: RqliteSession<TSchema, ExtractTablesWithRelations<TSchema>>;

  /** Made by `drizzle()`. */
  constructor(client: TClient, parts: SessionParts<ExtractTablesWithRelations<TSchema>>) {
    const session = new RqliteSession<TSchema, ExtractTablesWithRelations<TSchema>>(client, parts);
    super("async", parts.dialect, session, parts.schema);
    this.$client = client;
    this.#session = session;
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
   *
   * @example
   * ```ts
   * import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
   * import { sql } from "drizzle-orm";
   * import { connect } from "@tangled/rqlite";
   * import { drizzle } from "@tangled/rqlite-drizzle";
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
    return this.#session.batch<U, T>(queries);
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
   * import { drizzle } from "@tangled/rqlite-drizzle";
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
    fn: (tx: RqliteTransaction<TSchema, ExtractTablesWithRelations<TSchema>>) => Promise<T>,
    config?: RqliteTransactionConfig,
  ): Promise<T> {
    return this.#session.transaction(fn, config);
  }
}
