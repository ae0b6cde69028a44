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

import { readMigrationFiles } from "drizzle-orm/migrator";
import { type SQL, sql } from "drizzle-orm/sql";
import { NotSupportedError } from "@tangled/rqlite";
import { RqliteLock } from "@tangled/rqlite/locks/rqlite";
import {
  type Checks,
  droppedTables,
  isName,
  type Migration,
  readMigration,
  readOptions,
} from "@tangled/rqlite/driver";
import type { RqliteDatabase } from "./src/database.ts";
import type { RqliteClient } from "./src/session.ts";

/** Where the migrations are, and where it is noted which of them were applied. */
export interface MigrateOptions {
  /** The folder that drizzle-kit writes: `meta/_journal.json` and the files it names. */
  migrationsFolder: string;
  /** The table of what was applied. @default {"__drizzle_migrations"} */
  migrationsTable?: string | undefined;
}

const MIGRATE: Checks<MigrateOptions> = { migrationsFolder: isName, migrationsTable: isName };

/** Milliseconds for everything, the wait for another migrator included. */
const TIMEOUT = 60_000;

/** Milliseconds after which the lock of a migrator that died is taken over. */
const LEASE = 5_000;

/**
 * Applies the migrations of a folder that are newer than the newest applied one: all of them in one transaction, so all or
 * none. Others that migrate the same database at the same time wait; the lock of one that crashed is taken over.
 *
 * @throws {ProgrammingError} If a file holds no statement, or two without a breakpoint between them, unless the journal
 * says that there are no breakpoints.
 * @throws {NotSupportedError} If a statement cannot be part of a transaction; if a table is made anew that others refer
 * to, as dropping the old one would change their rows.
 * @throws {LockTimeoutError} If another migrator was at work for a minute.
 * @throws {DatabaseError} If a statement fails; nothing was kept.
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
  const table = sql.identifier(migrationsTable);
  const files = readMigrationFiles({ migrationsFolder });
  await db.run(
    sql`CREATE TABLE IF NOT EXISTS ${table}(id INTEGER PRIMARY KEY, hash TEXT NOT NULL, created_at NUMERIC)`,
  );
  const newest = sql`SELECT max(created_at) FROM ${table}`;
  const applied = await newestOf(db, newest);
  const migrations = files.flatMap((meta, i) =>
    meta.folderMillis > applied ? readMigration(meta, i + 1) : []
  );
  if (migrations.length === 0) return;
  await checkRebuilds(db, migrations);
  const lock = new RqliteLock({
    name: `drizzle:${migrationsTable}`,
    client: db.$client,
    leaseDuration: LEASE,
  });
  await db.transaction(async (tx) => {
    const applied = await newestOf(tx, newest);
    for (const { createdAt, hash, statements } of migrations) {
      if (createdAt <= applied) continue;
      for (const statement of statements) await tx.run(sql.raw(statement));
      await tx.run(sql`INSERT INTO ${table}(hash, created_at) VALUES(${hash}, ${createdAt})`);
    }
  }, { lock, mode: "lazy", timeout: TIMEOUT, retries: 10 });
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

/**
 * drizzle-kit changes a table by making it anew with foreign keys turned off, which nothing inside a transaction can do.
 * Where they are enforced, dropping the old table would delete or change the rows that refer to it.
 */
async function checkRebuilds(
  db: { values(query: SQL): PromiseLike<unknown[][]> },
  migrations: readonly Migration[],
): Promise<void> {
  const rebuilds = migrations.filter(({ withoutForeignKeys }) => withoutForeignKeys);
  if (rebuilds.length === 0) return;
  const [row] = await db.values(sql`PRAGMA foreign_keys`);
  if (row?.[0] !== 1) return;
  for (const migration of rebuilds) {
    for (const table of droppedTables(migration)) {
      const [child] = await db.values(sql`
        SELECT m.name FROM sqlite_schema AS m JOIN temp.pragma_foreign_key_list(m.name) AS f
        WHERE m.type = 'table' AND lower(f."table") = lower(${table}) AND lower(m.name) <> lower(${table})
          AND f.on_delete IN ('CASCADE', 'SET NULL', 'SET DEFAULT')`);
      if (child !== undefined) throw rebuildOf(migration.name, table, String(child[0]));
    }
  }
}

function rebuildOf(name: string, table: string, child: string): NotSupportedError {
  return new NotSupportedError(
    `Cannot apply ${name} as it makes ${table} anew with foreign keys off, which is not possible in a ` +
      `transaction: with them on, dropping the old table would change the rows of ${child}. Start rqlited without -fk ` +
      "for this migration, or change the table with ALTER TABLE",
  );
}
