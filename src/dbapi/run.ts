import { checkFunction } from "../calls/checks.ts";
import { ProgrammingError } from "../errors.ts";
import { type RetryOptions, withRetry } from "../transaction/with_retry.ts";
import type { Connection } from "./connection.ts";

/**
 * Runs a function as one transaction of a connection and commits it; again, with a random wait that grows, while it fails
 * with an error that is `retryable`. The function must have no effects outside of the connection.
 *
 * @returns What the function returned in the run that took effect.
 * @throws {ProgrammingError} If the connection is in a transaction already.
 * @throws What the last run threw, or the signal's reason; nothing was kept then.
 *
 * @example
 * ```ts
 * import { connect, run } from "@tangled/rqlite/dbapi";
 * import { embedded } from "@tangled/rqlite/embedded";
 *
 * const connection = connect(embedded());
 * await connection.execute("CREATE TABLE counters(n INTEGER)");
 * await connection.execute("INSERT INTO counters VALUES(1)");
 * await connection.commit();
 * await run(connection, async (connection) => {
 *   const cursor = await connection.execute("SELECT n FROM counters");
 *   const [n] = (await cursor.fetchOne())!;
 *   await cursor.execute("UPDATE counters SET n = ?", [Number(n) + 1]);
 * });
 * await connection.close();
 * ```
 */
export async function run<T>(
  connection: Connection,
  fn: (connection: Connection) => Promise<T>,
  options?: RetryOptions,
): Promise<T> {
  checkFunction(fn, "run(connection, async (connection) => …)");
  if (connection.inTransaction) {
    throw new ProgrammingError(
      "Cannot run a transaction within a transaction: commit or roll back first",
    );
  }
  return await withRetry(async () => {
    try {
      if (connection.autocommit) await connection.execute("BEGIN");
      const result = await fn(connection);
      await connection.commit();
      return result;
    } catch (error) {
      if (!connection.closed) await connection.rollback();
      throw error;
    }
  }, options);
}
