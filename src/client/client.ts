import type { SqlFragment } from "../sql/statement.ts";
import type { Params, Row } from "../sql/value.ts";
import type { Executor, QueryOptions } from "./executor.ts";

/** What {@linkcode Client.iterate} takes. */
export interface IterateOptions extends QueryOptions {
  /** Rows asked for at a time. @default {1000} */
  pageSize?: number;
  /** The result column whose order the pages follow: unique and never NULL. @default the table's rowid */
  by?: string;
}

/**
 * A client of one rqlite cluster, made by `connect`. It holds no connection and no state of its callers: share one, also
 * at module scope of a Worker.
 *
 * @example
 * ```ts
 * import { connect } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 *
 * const db = connect(embedded()); // or connect("http://localhost:4001")
 * await db.execute("CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT)");
 * const { lastInsertId } = await db.execute("INSERT INTO users(name) VALUES(?)", ["Ada"]);
 * const { rows } = await db.query<{ name: string }>("SELECT name FROM users WHERE id = :id", {
 *   id: lastInsertId!,
 * });
 * console.log(rows[0]?.name); // Ada
 * await db.close();
 * ```
 */
export interface Client extends Executor, AsyncDisposable {
  /** Whether {@linkcode Client.close} was called. */
  readonly closed: boolean;
  /**
   * Reads a large result page by page, one row at a time. Each page is a read of its own: rows that change meanwhile
   * may or may not be seen, none is seen twice.
   *
   * Without `by` the statement must be a plain SELECT from one table that has rowids. With `by` it may be any SELECT; column
   * names must differ.
   *
   * @example
   * ```ts
   * import { connect } from "@tangled/rqlite";
   * import { embedded } from "@tangled/rqlite/embedded";
   *
   * const db = connect(embedded());
   * await db.execute("CREATE TABLE logs(line TEXT)");
   * await db.batch(["a", "b", "c"].map((line) => ["INSERT INTO logs VALUES(?)", line]));
   * for await (const row of db.iterate("SELECT line FROM logs", [], { pageSize: 2 })) {
   *   console.log(row.line);
   * }
   * await db.close();
   * ```
   *
   * @throws {ProgrammingError} If the statement cannot be paged that way.
   */
  iterate<R = Row>(
    sql: string | SqlFragment,
    params?: Params,
    options?: IterateOptions,
  ): AsyncIterableIterator<R>;
  /** Ends what is in flight; later calls reject with `InterfaceError`. Calling it again does nothing. */
  close(): Promise<void>;
}
