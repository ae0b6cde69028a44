/**
 * Migrations: numbered files of SQL, each applied once, however many processes start at the same time.
 *
 * ```ts
 * import { connect } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 * import { migrate } from "@tangled/rqlite/migrate";
 *
 * const db = connect(embedded()); // or connect("http://localhost:4001")
 * const { applied } = await migrate(db, {
 *   migrations: [{ name: "0001_notes", sql: "CREATE TABLE notes(body TEXT)" }], // or folder: "migrations"
 * });
 * console.log(applied); // [ "0001_notes" ]
 * await db.close();
 * ```
 *
 * @module
 */

export { migrate, status } from "./migrate.ts";
export type { MigrateResult } from "./migrate.ts";
export type { MigrateOptions, MigrationSource, StatusOptions } from "./options.ts";
export type { MigrationState, MigrationStatus } from "./plan.ts";
