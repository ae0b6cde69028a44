// What the table of applied migrations says, and what is left to do. Drizzle 1.0 notes the names of migrations; the table of
// earlier versions knows only when they were made, so it is made longer.

import { ProgrammingError } from "@tangled/rqlite";
import { type Migration, readMigration } from "@tangled/rqlite/driver";
import type { MigrationMeta } from "drizzle-orm/migrator";
import { type SQL, sql } from "drizzle-orm/sql";

/** What asks a database, or a transaction of it. */
export interface Asked {
  /** The rows of a statement, as objects. */
  all(query: SQL): PromiseLike<Record<string, unknown>[]>;
}

/** A migration that is not applied yet. */
export interface Pending {
  /** What is noted of it. */
  readonly meta: MigrationMeta;
  /** What it does. */
  readonly migration: Migration;
}

/** What is left to do. */
export interface Plan {
  /** Makes a table of earlier versions one of this version. */
  readonly upgrade: readonly SQL[];
  /** The migrations to apply, in order. */
  readonly pending: readonly Pending[];
}

/** Creates the table of what was applied, unless there is one. */
export function creationOf(table: string): SQL {
  return sql`CREATE TABLE IF NOT EXISTS ${sql.identifier(table)}
    (id INTEGER PRIMARY KEY, hash text NOT NULL, created_at numeric, name text, applied_at TEXT)`;
}

/**
 * Reads what was applied, and finds what is left to do.
 *
 * @throws {ProgrammingError} If a table of an earlier version names a migration that is not in the folder, or a file cannot
 * be read.
 * @throws {NotSupportedError} If a file holds what cannot be part of a transaction.
 */
export async function planOf(
  db: Asked,
  table: string,
  folder: readonly MigrationMeta[],
): Promise<Plan> {
  const columns = await db.all(sql`SELECT name FROM temp.pragma_table_info(${table})`);
  const upgraded = columns.some(({ name }) => name === "name");
  const quoted = sql.identifier(table);
  const rows = await db.all(
    upgraded
      ? sql`SELECT id, hash, created_at, name FROM ${quoted} ORDER BY id`
      : sql`SELECT id, hash, created_at FROM ${quoted} ORDER BY id`,
  );
  const found = rows.map((row) => row.name ?? nameOf(row, folder));
  const lost = rows.filter((_, i) => found[i] === undefined);
  if (lost.length > 0) throw unknown(table, lost);
  const missing = folder.filter(({ name }) => !found.includes(name));
  return {
    upgrade: [
      ...upgraded
        ? []
        : ["name text", "applied_at TEXT"].map((column) =>
          sql`ALTER TABLE ${quoted} ADD COLUMN ${sql.raw(column)}`
        ),
      ...rows.flatMap(({ id, name }, i) =>
        name === null || name === undefined
          ? sql`UPDATE ${quoted} SET name = ${found[i]} WHERE id = ${id}`
          : []
      ),
    ],
    pending: missing.map((meta) => ({
      meta,
      // Files do not tell whether drizzle-kit was told to write breakpoints.
      migration: readMigration(`migration ${meta.name}`, meta.sql, false),
    })),
  };
}

/** Finds the migration that an earlier version has noted: by the second in which it was made, or by its hash. */
function nameOf(
  { created_at, hash }: Record<string, unknown>,
  folder: readonly MigrationMeta[],
): string | undefined {
  const second = Math.floor(Number(created_at) / 1000);
  const then = folder.filter(({ folderMillis }) => folderMillis === second * 1000);
  const [only, another] = then;
  if (another === undefined && only !== undefined) return only.name;
  return (only === undefined ? folder : then).find((one) => one.hash === hash)?.name;
}

function unknown(table: string, rows: readonly Record<string, unknown>[]): ProgrammingError {
  return new ProgrammingError(
    `Cannot use ${
      JSON.stringify(table)
    } as it was written by an earlier version of Drizzle, and the migrations with id ` +
      `${
        rows.map(({ id }) => id).join(", ")
      } in it are not in the folder: convert all of it with ` +
      "`drizzle-kit up` of 1.0",
  );
}
