import type { SqlFragment } from "../sql/statement.ts";
import type { Params, Row } from "../sql/value.ts";
import type { Executor, QueryOptions } from "./executor.ts";

/** What {@linkcode BaseClient.iterate} takes. */
export interface IterateOptions extends QueryOptions {
  /** Rows asked for at a time. @default {1000} */
  pageSize?: number;
  /** The result column whose order the pages follow: unique and never NULL. @default the table's rowid */
  by?: string;
}

/** What a client does by single requests; `Client` adds transactions. */
export interface BaseClient extends Executor, AsyncDisposable {
  /** Whether {@linkcode BaseClient.close} was called. */
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
