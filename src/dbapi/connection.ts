import type { Rows } from "../client/request_rows.ts";
import type { Lock } from "../locks/lock.ts";
import type { SqlFragment } from "../sql/fragment.ts";
import type { Params, Value } from "../sql/value.ts";

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
  /** Runs a statement on a new cursor. */
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

/**
 * One column of a result: its name, its declared type in lower case, and PEP 249's five others, which rqlite does not
 * tell.
 */
export type ColumnDescription = readonly [
  name: string,
  typeCode: string | null,
  displaySize: null,
  internalSize: null,
  precision: null,
  scale: null,
  nullOk: null,
];

/**
 * Runs statements and hands out their rows. Cursors of one connection share its transaction: what one of them did, the
 * others see at once.
 *
 * @example
 * ```ts
 * import { connect } from "@tangled/rqlite/dbapi";
 * import { embedded } from "@tangled/rqlite/embedded";
 *
 * const connection = connect(embedded());
 * const cursor = connection.cursor();
 * await cursor.execute("CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT)");
 * await cursor.executeMany("INSERT INTO users(name) VALUES(?)", [["Ada"], ["Grace"]]);
 * await cursor.execute("SELECT name FROM users ORDER BY id");
 * for await (const [name] of cursor) console.log(name); // Ada, Grace
 * await connection.commit();
 * await connection.close();
 * ```
 */
export interface Cursor extends AsyncDisposable, AsyncIterable<Value[]> {
  /** The one that made it. */
  readonly connection: Connection;
  /** The columns of the result, also of one without rows; `null` where there is no result. */
  readonly description: readonly ColumnDescription[] | null;
  /**
   * Rows inserted, updated or deleted by the last statement, or by all rows of an `executeMany`, also of one that failed
   * half way; -1 for everything else.
   */
  readonly rowCount: number;
  /** The rowid of the row inserted last by the last statement; otherwise `null`. */
  readonly lastRowId: number | bigint | null;
  /** How many rows {@linkcode Cursor.fetchMany} fetches. @default {1} */
  arraySize: number;
  /**
   * Runs a statement; in a transaction unless the connection is in autocommit. BEGIN, COMMIT, END, ROLLBACK, SAVEPOINT,
   * ROLLBACK TO and RELEASE do what they do in SQLite.
   *
   * @param sql Text, or a fragment, which brings its values.
   * @param params A list for `?`, an object for `:name`, `@name` and `$name`.
   * @returns The cursor itself.
   * @throws {ProgrammingError} If it does not compile, or the parameters do not match.
   * @throws {IntegrityError} If a constraint refused it.
   * @throws {NotSupportedError} If it cannot be part of a transaction, or would write behind a read that cannot be
   * checked at commit; the message says why.
   * @throws {TransactionConflictError} If another client changed what the transaction relies on.
   * @throws {InterfaceError} If the cursor or its connection is closed.
   */
  execute(sql: string | SqlFragment, params?: Params): Promise<this>;
  /**
   * Runs an INSERT, REPLACE, UPDATE or DELETE once for each row of values. Rows of a RETURNING clause are dropped.
   *
   * In a transaction all rows join it or, where one fails, none. With autocommit they are cut into requests of up to
   * 10,000 rows, each all or nothing, and the next row is asked for only when the request before was answered.
   *
   * @param sql Text, or a fragment of identifiers and `?` without values.
   * @param rows Any iterable, also an asynchronous one.
   * @returns The cursor itself.
   * @throws {ProgrammingError} If the statement is of another kind, or the values of a row do not match.
   * @throws {DatabaseError} If a request failed; with autocommit its `rowsApplied` says how many rows were applied by
   * those before it.
   * @throws {TypeError|RangeError} If a value cannot be bound; the message begins with the number of the row, from 0.
   * @throws What iterating over the rows throws, unchanged.
   */
  executeMany(sql: string | SqlFragment, rows: Rows): Promise<this>;
  /**
   * The next row; `null` behind the last.
   *
   * @throws {ProgrammingError} If there is no result to fetch from.
   */
  fetchOne(): Promise<Value[] | null>;
  /**
   * The next rows; none behind the last.
   *
   * @param size How many at most. @default arraySize
   * @throws {ProgrammingError} If there is no result to fetch from.
   * @throws {RangeError} If the size is no integer from 0 on.
   */
  fetchMany(size?: number): Promise<Value[][]>;
  /**
   * All rows that are left.
   *
   * @throws {ProgrammingError} If there is no result to fetch from.
   */
  fetchAll(): Promise<Value[][]>;
  /** Does nothing, as PEP 249 allows: SQLite takes values of any size. */
  setInputSizes(sizes: readonly unknown[]): void;
  /** Does nothing, as PEP 249 allows: columns come whole. */
  setOutputSize(size: number, column?: number): void;
  /** Drops the result; the transaction goes on. Calling it again does nothing. */
  close(): Promise<void>;
}
