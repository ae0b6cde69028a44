/**
 * Applies the migrations that drizzle-kit 1.0 has written, once, however many processes start at the same time.
 *
 * ```ts ignore
 * import { drizzle } from "@tangled/rqlite-drizzle-v1";
 * import { migrate } from "@tangled/rqlite-drizzle-v1/migrator";
 *
 * const db = drizzle("http://localhost:4001");
 * await migrate(db, { migrationsFolder: "./drizzle" });
 * ```
 *
 * @module
 */

import "./src/version.ts";
import { ProgrammingError } from "@tangled/rqlite";
import {
  checkDatabase,
  type Checks,
  isName,
  migrationOptions,
  readOptions,
  type RqliteClient,
  runMigration,
} from "@tangled/rqlite/driver";
import { type MigrationMeta, readMigrationFiles } from "drizzle-orm/migrator";
import type { AnyRelations } from "drizzle-orm/relations";
import { sql } from "drizzle-orm/sql";
import { creationOf, planOf } from "./src/applied.ts";
import type { RqliteDatabase } from "./src/database.ts";

/** Where the migrations are, and where it is noted which of them were applied. */
export interface MigrateOptions {
  /** The folder that drizzle-kit writes: in it a folder with `migration.sql` for each migration. */
  migrationsFolder: string;
  /** The table of what was applied. @default {"__drizzle_migrations"} */
  migrationsTable?: string | undefined;
}

const MIGRATE: Checks<MigrateOptions> = { migrationsFolder: isName, migrationsTable: isName };

/**
 * Applies the migrations of a folder that are not noted as applied, in the order of their names: all of them in one
 * transaction, so all or none. Others that migrate the same database at the same time wait; the lock of one that crashed is
 * taken over.
 *
 * A file without a statement, as `drizzle-kit generate --custom` writes it, is noted as applied like any other. A table of
 * what Drizzle 0.x has applied is taken over, once `drizzle-kit up` has converted the folder.
 *
 * @throws {ProgrammingError} If there are no such files; if what was applied by Drizzle 0.x is not among them.
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
 * import { drizzle } from "@tangled/rqlite-drizzle-v1";
 * import { migrate } from "@tangled/rqlite-drizzle-v1/migrator";
 * import { embedded } from "@tangled/rqlite/embedded";
 *
 * const folder = await mkdtemp("/tmp/migrations-"); // drizzle-kit writes it: npx drizzle-kit generate
 * await mkdir(`${folder}/20260102030405_first`);
 * await writeFile(
 *   `${folder}/20260102030405_first/migration.sql`,
 *   "CREATE TABLE users(id INTEGER PRIMARY KEY)",
 * );
 *
 * const db = drizzle(connect(embedded()));
 * await migrate(db, { migrationsFolder: folder });
 * await db.$client.close();
 * await rm(folder, { recursive: true });
 * ```
 */
export async function migrate<TRelations extends AnyRelations>(
  db: RqliteDatabase<TRelations, RqliteClient>,
  options: MigrateOptions,
): Promise<void> {
  const { migrationsFolder, migrationsTable = "__drizzle_migrations" } = readOptions(
    options,
    MIGRATE,
  );
  isName(migrationsFolder, "migrationsFolder");
  checkDatabase(db, "relations", "drizzle() of @tangled/rqlite-drizzle-v1");
  const folder = readFolder(migrationsFolder);
  await db.run(creationOf(migrationsTable));
  const { upgrade, pending } = await planOf(db, migrationsTable, folder);
  if (upgrade.length + pending.length === 0) return;
  const table = sql.identifier(migrationsTable);
  await db.transaction(async (tx) => {
    // Again, as another migrator may have been at work meanwhile.
    const { upgrade, pending } = await planOf(tx, migrationsTable, folder);
    for (const statement of upgrade) await tx.run(statement);
    for (const { meta: { hash, folderMillis, name }, migration } of pending) {
      await runMigration(tx.$transaction, migration, async (text) => await tx.run(sql.raw(text)));
      const now = new Date().toISOString();
      await tx.run(sql`INSERT INTO ${table}(hash, created_at, name, applied_at)
        VALUES(${hash}, ${folderMillis}, ${name}, ${now})`);
    }
  }, migrationOptions(db.$client, `drizzle:${migrationsTable}`));
}

function readFolder(migrationsFolder: string): MigrationMeta[] {
  const files = readFiles(migrationsFolder);
  for (const { name, folderMillis } of files) {
    if (/^\d{14}/.test(name) && !Number.isNaN(folderMillis)) continue;
    throw new ProgrammingError(
      `Cannot apply migration ${name} as the name of its folder must begin with the time when it was made, such as ` +
        "20260102030405",
    );
  }
  return files;
}

function readFiles(migrationsFolder: string): MigrationMeta[] {
  try {
    return readMigrationFiles({ migrationsFolder });
  } catch (cause) {
    throw new ProgrammingError(
      `Cannot read the migrations: ${
        (cause as Error).message
      }. drizzle-kit 1.0 writes them, each in a folder of its ` +
        "own; those of drizzle-kit 0.x are converted by its `up`, or applied by @tangled/rqlite-drizzle",
      { cause },
    );
  }
}
