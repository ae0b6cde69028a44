/**
 * rqlite for [Kysely](https://kysely.dev), 0.28 to 0.30.
 *
 * @module
 */

export { batch } from "./batch.ts";
export type { BatchQuery, BatchResults } from "./batch.ts";
export { RqliteDialect } from "./dialect.ts";
export type { MigrationLock, RqliteDialectConfig, RqliteDialectOptions } from "./options.ts";
export { withRetry } from "../transaction/with_retry.ts";
export type { RetryOptions } from "../transaction/with_retry.ts";
