/**
 * A driver for [Drizzle](https://orm.drizzle.team) 1.0.
 *
 * @module
 */

export { drizzle, RqliteDatabase, RqliteSession, RqliteTransaction } from "./src/driver.ts";
