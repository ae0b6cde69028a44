/**
 * rqlite for [Kysely](https://kysely.dev), 0.28 to 0.30.
 *
 * @module
 */

export { batch } from "./src/batch.ts";
export type { BatchQuery, BatchResults } from "./src/batch.ts";
export { RqliteDialect } from "./src/dialect.ts";
export type {
  MigrationLock,
  RqliteDialectConfig,
  RqliteDialectOptions,
  RqliteTransactionOptions,
} from "./src/options.ts";
export { transaction } from "./src/transaction.ts";
export { type RetryOptions, withRetry } from "@tangled/rqlite";
