/**
 * A connection as {@link https://peps.python.org/pep-0249/ PEP 249} has it, in TypeScript: an implicit transaction,
 * cursors, `commit` and `rollback`, over a server that has no transactions of its own.
 *
 * ```ts
 * import { connect } from "@tangled/rqlite/dbapi";
 * import { embedded } from "@tangled/rqlite/embedded";
 *
 * const connection = connect(embedded()); // or connect("http://localhost:4001", { lock })
 * const cursor = connection.cursor();
 * await cursor.execute("CREATE TABLE products(name TEXT, price REAL)");
 * await cursor.executeMany("INSERT INTO products VALUES(?, ?)", [["Widget", 9.99], ["Gadget", 24.5]]);
 * await connection.commit();
 * await cursor.execute("SELECT name FROM products WHERE price < ?", [10]);
 * console.log(await cursor.fetchAll()); // [ [ "Widget" ] ]
 * await connection.close();
 * ```
 *
 * @module
 */

/** The version of PEP 249. */
export const apiLevel = "2.0" as const;

/** Tasks may share the module; a connection, and with it the transaction, belongs to one of them. */
export const threadSafety = 1 as const;

/** `?` by position. `:name`, `@name` and `$name` are taken too. */
export const paramStyle = "qmark" as const;

export { connect } from "./connect.ts";
export type { ConnectionOptions } from "./connect.ts";
export type { ColumnDescription, Connection, Cursor } from "./connection.ts";
export type { Rows } from "../client/request_rows.ts";
export { run } from "./run.ts";
export { withRetry } from "../transaction/with_retry.ts";
export type { RetryOptions } from "../transaction/with_retry.ts";
export * from "./types.ts";
export * from "../errors.ts";
export { RqliteError as Error } from "../errors.ts";
