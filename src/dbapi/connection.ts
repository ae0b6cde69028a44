import type { Lock } from "../locks/lock.ts";
import type { SqlFragment } from "../sql/statement.ts";
import type { Params } from "../sql/value.ts";
import type { Cursor } from "./cursor.ts";

/**
 * A connection as PEP 249 has it: the first statement opens a transaction, which {@linkcode Connection.commit} applies as
 * one serializable unit. Nothing of it is visible to others before, and a transaction that is abandoned costs the server
 * nothing. `timeout` limits each statement and each commit, not the time between them.
 *
 * A read whose rows cannot be checked at commit, because they are too large (about 400,000 bytes) or hold `random()`, is
 * answered all the same, and the transaction takes no writes after it: read with autocommit instead.
 *
 * @example
 * ```ts
 * import { connect } from "@tangled/rqlite/dbapi";
 * import { embedded } from "@tangled/rqlite/embedded";
 *
 * const connection = connect(embedded());
 * await connection.execute("CREATE TABLE accounts(id INTEGER PRIMARY KEY, balance INTEGER)");
 * await connection.execute("INSERT INTO accounts VALUES(1, 100)");
 * await connection.commit();
 * await connection.execute("UPDATE accounts SET balance = 0");
 * await connection.rollback();
 * const cursor = await connection.execute("SELECT balance FROM accounts");
 * console.log(await cursor.fetchOne()); // [ 100 ]
 * await connection.close();
 * ```
 */
export interface Connection extends AsyncDisposable {
  /**
   * Whether each statement is sent by itself, unless BEGIN opens a transaction. It cannot be changed inside a
   * transaction, as what becomes of that has to be waited for. With a lock, each write takes it for itself.
   *
   * @throws {ProgrammingError} If it is changed inside a transaction.
   * @throws {InterfaceError} If it is changed on a closed connection.
   */
  autocommit: boolean;
  /** Whether a transaction is open. */
  readonly inTransaction: boolean;
  /** Whether {@linkcode Connection.close} was called. */
  readonly closed: boolean;
  /** What each transaction takes before its first statement and frees at its end. */
  readonly lock: Lock | undefined;
  /**
   * Makes a cursor.
   *
   * @throws {InterfaceError} If the connection is closed.
   */
  cursor(): Cursor;
  /** Runs a statement on a new cursor, see {@linkcode Cursor.execute}. */
  execute(sql: string | SqlFragment, params?: Params): Promise<Cursor>;
  /**
   * Applies the transaction as one unit; without one it does nothing. Where nothing was written it checks that all that
   * was read holds at one moment; {@linkcode Connection.rollback} ends without that. The connection is out of the
   * transaction afterwards, also when this fails.
   *
   * @throws {TransactionConflictError} If what was read does not hold any more; nothing was kept, so run it again.
   * @throws {LockLostError} If the lock was lost; nothing was kept.
   * @throws {OutcomeUnknownError} If it cannot be known whether it was applied.
   * @throws {InterfaceError} If the connection is closed.
   */
  commit(): Promise<void>;
  /**
   * Forgets the transaction, without a request; without one it does nothing.
   *
   * @throws {InterfaceError} If the connection is closed.
   */
  rollback(): Promise<void>;
  /** Rolls back and closes; what is used later fails with `InterfaceError`. Calling it again does nothing. */
  close(): Promise<void>;
}
