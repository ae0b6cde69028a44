import type { SqlFragment } from "../sql/statement.ts";
import type { Params, Value } from "../sql/value.ts";
import type { Connection } from "./connection.ts";
import type { Rows } from "../client/request_rows.ts";

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
