/**
 * A driver for [Drizzle](https://orm.drizzle.team) 1.0: queries, relational queries, atomic batches, and transactions that
 * commit, roll back, nest and conflict as they should. For 0.44 and 0.45 there is `@tangled/rqlite-drizzle`.
 *
 * ```ts
 * import { sql } from "drizzle-orm";
 * import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
 * import { connect } from "@tangled/rqlite";
 * import { drizzle } from "@tangled/rqlite-drizzle-v1";
 * import { embedded } from "@tangled/rqlite/embedded";
 *
 * const users = sqliteTable("users", { id: integer().primaryKey(), name: text().notNull() });
 * const db = drizzle(connect(embedded())); // or drizzle("http://localhost:4001")
 * await db.run(sql`CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT NOT NULL)`);
 * await db.transaction(async (tx) => {
 *   await tx.insert(users).values({ name: "Ada" });
 * });
 * console.log(await db.select().from(users)); // [ { id: 1, name: "Ada" } ]
 * await db.$client.close();
 * ```
 *
 * @module
 */

import "./src/version.ts";
export { drizzle } from "./src/drizzle.ts";
export type { RqliteDrizzle, RqliteDrizzleConfig } from "./src/drizzle.ts";
export { rqliteCodecs } from "./src/codecs.ts";
export { RqliteDatabase } from "./src/database.ts";
export { RqliteTransaction } from "./src/transaction.ts";
export { RqliteSession } from "./src/session.ts";
export type { Mode } from "./src/internals.ts";
export type { SessionParts } from "./src/session.ts";
export { RqlitePreparedQuery } from "./src/prepared_query.ts";
export type { QueryContext, QueryShape } from "./src/prepared_query.ts";
export type {
  MockClient,
  RqliteClient,
  RqliteTransactionConfig,
  RunResult,
} from "@tangled/rqlite/driver";
