import type { Kysely, Transaction as KyselyTransaction } from "kysely";
import { ProgrammingError } from "@tangled/rqlite";
import { checkKysely, withConnection } from "./connection.ts";
import { readTransaction, type RqliteTransactionOptions } from "./options.ts";

/**
 * What `db.transaction().execute(fn)` does, with options for this one transaction: a lock, a time limit, and with
 * `retries` again where it conflicts with another process; `fn` must have no effects outside of `trx` then.
 *
 * @param db A Kysely whose dialect is a `RqliteDialect`.
 * @returns What `fn` returned in the run that took effect.
 * @throws {TransactionConflictError} If every run conflicted; nothing was kept.
 * @throws {ProgrammingError} If `db` is a transaction.
 * @throws {TypeError|RangeError} If `db` is no Kysely of that dialect, or an option is wrong or cannot be honoured.
 * @throws What `fn` throws; nothing was kept then.
 *
 * @example
 * ```ts
 * import { connect } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 * import { RqliteDialect, transaction } from "@tangled/rqlite-kysely";
 * import { Kysely, sql } from "kysely";
 *
 * const client = connect(embedded());
 * const db = new Kysely<{ stock: { n: number } }>({ dialect: new RqliteDialect({ client }) });
 * await sql`create table stock(n integer)`.execute(db);
 * await sql`insert into stock values (10)`.execute(db);
 * const left = await transaction(db, async (trx) => {
 *   const { n } = await trx.selectFrom("stock").select("n").executeTakeFirstOrThrow();
 *   await trx.updateTable("stock").set({ n: n - 1 }).execute();
 *   return n - 1;
 * }, { retries: 10, timeout: 5_000 });
 * console.log(left); // 9
 * await client.close();
 * ```
 */
export async function transaction<DB, T>(
  db: Kysely<DB>,
  fn: (trx: KyselyTransaction<DB>) => Promise<T>,
  options?: RqliteTransactionOptions,
): Promise<T> {
  checkKysely(db);
  const read = readTransaction(options);
  if (typeof fn !== "function") {
    throw new TypeError(
      "Cannot use `fn` as it must be a function: transaction(db, async (trx) => …)",
    );
  }
  if (db.isTransaction) {
    throw new ProgrammingError(
      "Cannot begin a transaction as `db` is one: use it as it is, or savepoints of db.startTransaction()",
    );
  }
  return await db.connection().execute(async (one) => {
    const connection = await withConnection(one, (own) => Promise.resolve(own));
    return await connection.lend(() => one.transaction().execute(fn), read);
  });
}
