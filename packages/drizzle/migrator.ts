/**
 * Applies the migrations that drizzle-kit has written, once, however many processes start at the same time.
 *
 * ```ts ignore
 * import { drizzle } from "@tangled/rqlite-drizzle";
 * import { migrate } from "@tangled/rqlite-drizzle/migrator";
 *
 * const db = drizzle("http://localhost:4001");
 * await migrate(db, { migrationsFolder: "./drizzle" });
 * ```
 *
 * @module
 */

import "./src/version.ts";
import { type MigrationMeta, readMigrationFiles } from "drizzle-orm/migrator";
import { type SQL, sql } from "drizzle-orm/sql";
import { ProgrammingError } from "@tangled/rqlite";
import {
  checkDatabase,
  type Checks,
  isName,
  type Migration,
  migrationOptions,
  readMigration,
  readOptions,
  type RqliteClient,
  runMigration,
} from "@tangled/rqlite/driver";
import type { RqliteDatabase } from "./src/database.ts";

/** Where the migrations are, and where it is noted which of them were applied. */
export interface MigrateOptions {
  /** The folder that drizzle-kit writes: `meta/_journal.json` and the files it names. */
  migrationsFolder: string;
  /** The table of what was applied. @default {"__drizzle_migrations"} */
  migrationsTable?: string | undefined;
}

const MIGRATE: Checks<MigrateOptions> = { migrationsFolder: isName, migrationsTable: isName };

/**
 * Applies the migrations of a folder that are newer than the newest applied one: all of them in one transaction, so all or
 * none. Others that migrate the same database at the same time wait; the lock of one that crashed is taken over.
 *
 * A file without a statement, as `drizzle-kit generate --custom` writes it, is noted as applied like any other.
 *
 * @throws {ProgrammingError} If there are no such files, or two statements stand in one without a breakpoint between
 * them, unless the journal says that there are no breakpoints.
 * @throws {NotSupportedError} If a statement cannot be part of a transaction; if a table is made anew with foreign keys
 * off, the server checks them, and dropping the old table would delete or change rows that refer to it. Nothing was kept.
 * @throws {LockTimeoutError} If another migrator was at work for a minute.
 * @throws {DatabaseError} If a statement fails; nothing was kept.
 * @throws {TypeError} If `db` is not of this driver, or an option is unknown or has the wrong form.
 *
 * @example
 * ```ts
 * import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
 * import { connect } from "@tangled/rqlite";
 * import { drizzle } from "@tangled/rqlite-drizzle";
 * import { migrate } from "@tangled/rqlite-drizzle/migrator";
 * import { embedded } from "@tangled/rqlite/embedded";
 *
 * const folder = await mkdtemp("/tmp/migrations-"); // drizzle-kit writes it: npx drizzle-kit generate
 * await mkdir(`${folder}/meta`);
 * const entries = [{ idx: 0, when: 1700000000000, tag: "0000_first", breakpoints: true }];
 * await writeFile(`${folder}/meta/_journal.json`, JSON.stringify({ entries }));
 * await writeFile(`${folder}/0000_first.sql`, "CREATE TABLE users(id INTEGER PRIMARY KEY)");
 *
 * const db = drizzle(connect(embedded()));
 * await migrate(db, { migrationsFolder: folder });
 * await db.$client.close();
 * await rm(folder, { recursive: true });
 * ```
 */
export async function migrate<TSchema extends Record<string, unknown>>(
  db: RqliteDatabase<TSchema, RqliteClient>,
  options: MigrateOptions,
): Promise<void> {
  const { migrationsFolder, migrationsTable = "__drizzle_migrations" } = readOptions(
    options,
    MIGRATE,
  );
  isName(migrationsFolder, "migrationsFolder");
  checkDatabase(db, "fullSchema", "drizzle() of @tangled/rqlite-drizzle");
  const table = sql.identifier(migrationsTable);
  const files = readFolder(migrationsFolder);
  await db.run(
    sql`CREATE TABLE IF NOT EXISTS ${table}(id INTEGER PRIMARY KEY, hash TEXT NOT NULL, created_at NUMERIC)`,
  );
  const newest = sql`SELECT max(created_at) FROM ${table}`;
  const applied = await newestOf(db, newest);
  const pending = files.flatMap((file, i) => file.folderMillis > applied ? read(file, i + 1) : []);
  if (pending.length === 0) return;
  await db.transaction(async (tx) => {
    // Again, as another migrator may have been at work meanwhile.
    const applied = await newestOf(tx, newest);
    for (const { folderMillis, hash, migration } of pending) {
      if (folderMillis <= applied) continue;
      await runMigration(tx.$transaction, migration, async (text) => await tx.run(sql.raw(text)));
      await tx.run(sql`INSERT INTO ${table}(hash, created_at) VALUES(${hash}, ${folderMillis})`);
    }
  }, migrationOptions(db.$client, `drizzle:${migrationsTable}`));
}

/** A file of the folder, checked. */
interface Pending extends MigrationMeta {
  readonly migration: Migration;
}

function readFolder(migrationsFolder: string): MigrationMeta[] {
  try {
    return readMigrationFiles({ migrationsFolder });
  } catch (cause) {
    throw new ProgrammingError(
      `Cannot read the migrations as ${
        (cause as Error).message
      }: drizzle-kit 0.31 writes it; folders that ` +
        "drizzle-kit 1.0 writes are applied by @tangled/rqlite-drizzle-v1",
      { cause },
    );
  }
}

function read(file: MigrationMeta, position: number): Pending {
  const name = `migration ${position} (made ${new Date(file.folderMillis).toISOString()})`;
  return { ...file, migration: readMigration(name, file.sql, file.bps) };
}

/** When the newest applied migration was made. */
async function newestOf(
  db: { values(query: SQL): PromiseLike<unknown[][]> },
  query: SQL,
): Promise<number> {
  const [row] = await db.values(query);
  const newest = row?.[0] ?? null;
  return newest === null ? -Infinity : Number(newest);
}
