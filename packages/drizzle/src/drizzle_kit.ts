import type { SQL } from "drizzle-orm/sql";
import type { Result } from "@tangled/rqlite";
import { isOwnTable } from "@tangled/rqlite/driver";
import type { RqliteDatabase } from "./database.ts";

/** What drizzle-kit asks of a database that it pushes a schema to. */
export interface DrizzleKitTarget {
  /** The rows of a statement. */
  all(query: SQL): Promise<unknown[]>;
  /** Runs a statement. */
  run(query: SQL): Promise<Result>;
}

/**
 * The database as `pushSQLiteSchema` of `drizzle-kit/api` should see it: without the tables that clients keep for commits
 * and locks, which it would drop, since they are in no schema.
 *
 * @example
 * ```ts ignore
 * import { drizzle, forDrizzleKit } from "@tangled/rqlite-drizzle";
 * import { pushSQLiteSchema } from "drizzle-kit/api";
 * import * as schema from "./schema.ts";
 *
 * const db = drizzle("http://localhost:4001");
 * // Its types know the databases of other drivers only.
 * const { statementsToExecute, apply } = await pushSQLiteSchema(schema, forDrizzleKit(db) as never);
 * console.log(statementsToExecute);
 * await apply();
 * ```
 */
export function forDrizzleKit<TSchema extends Record<string, unknown>>(
  db: RqliteDatabase<TSchema>,
): DrizzleKitTarget {
  return {
    all: async (query) => (await db.all<Record<string, unknown>>(query)).filter(isForeign),
    run: async (query) => await db.run(query),
  };
}

function isForeign({ tableName, tableFrom, tbl_name }: Record<string, unknown>): boolean {
  return !isOwnTable(String(tableName ?? tableFrom ?? tbl_name ?? ""));
}
