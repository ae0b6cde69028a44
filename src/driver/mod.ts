/**
 * What drivers of ORMs share, for their authors: how options are read and refused, rows as SQLite stores them, the config
 * of a transaction, migrations. Applications need nothing of it.
 *
 * @module
 */

export { isBoolean, isName, readOptions, refused, refusing } from "../options.ts";
export type { Check, Checks } from "../options.ts";
export { CALL } from "../calls/checks.ts";
export { isWait } from "../locks/acquire_options.ts";
export { isLease } from "../locks/limits.ts";
export { isOwnTable } from "../sql/own_tables.ts";
export { TRANSACTION } from "../transaction/options.ts";
export { CELLS, cellsOf, objectsOf, runResultOf } from "./rows.ts";
export type { RunResult } from "./rows.ts";
export { Issued, Passing, runIssuing } from "./followers.ts";
export type { Follower } from "./followers.ts";
export { checkCache, checkDatabase, hasMethods, mockClient, openTarget } from "./target.ts";
export type { AllInOne, MockClient, Opened, RqliteClient, Urls } from "./target.ts";
export { prepareItems, refuseConfig, runBatch, runTransaction } from "./drizzle.ts";
export type { BatchContext, BatchReader, RqliteTransactionConfig, ToldCache } from "./drizzle.ts";
export { migrationOptions, readForeignKeys, readMigration, runMigration } from "./migration.ts";
export type { Migration, MigrationStatement } from "./migration.ts";
