/**
 * A client for rqlite, the SQLite database that is replicated by Raft: exact values, safe retries, one deadline for each
 * call; in Deno, Bun, Node, Workers and browsers, over `fetch`, without dependencies.
 *
 * ```ts
 * import { connect, sql } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 *
 * const db = connect(embedded()); // or connect("http://localhost:4001")
 * await db.execute("CREATE TABLE products(id INTEGER PRIMARY KEY, name TEXT, price REAL)");
 * await db.execute("INSERT INTO products(name, price) VALUES(?, ?)", ["Widget", 9.99]);
 * const { rows } = await db.query(sql`SELECT * FROM products WHERE price < ${10}`);
 * console.log(rows); // [ { id: 1, name: "Widget", price: 9.99 } ]
 * await db.close();
 * ```
 *
 * @module
 */

export { connect } from "./src/client/connect.ts";
export type { Client, Session } from "./src/client/client.ts";
export type { ConnectOptions } from "./src/client/connect_options.ts";
export type {
  BackupOptions,
  EnqueueOptions,
  InsertManyOptions,
  IterateOptions,
  LoadOptions,
  NodesOptions,
  ReadyOptions,
  SessionOptions,
  StepDownOptions,
} from "./src/client/method_options.ts";
export type {
  BatchOptions,
  CallOptions,
  ExecuteOptions,
  Executor,
  Level,
  QueryOptions,
} from "./src/calls/executor.ts";
export type { Call, CallOutcome, CallStatement, Interceptor } from "./src/calls/interceptor.ts";
export type {
  Savepoint,
  Transaction,
  TransactionOptions,
  TransactionQueryOptions,
} from "./src/transaction/transaction.ts";
export { withRetry } from "./src/transaction/with_retry.ts";
export type { RetryOptions } from "./src/transaction/with_retry.ts";
export type { AcquireOptions, Lock, LockHandle } from "./src/locks/lock.ts";
export type { RequestEvent } from "./src/transport/transport.ts";
export type { Node } from "./src/wire/cluster.ts";
export { splitScript } from "./src/sql/split.ts";
export { sql } from "./src/sql/template.ts";
export type { ColumnRows, Columns, SqlTag } from "./src/sql/template.ts";
export type { Results, Statement } from "./src/sql/statement.ts";
export type { SqlFragment } from "./src/sql/fragment.ts";
export type {
  IntegerMode,
  NamedParams,
  Param,
  Params,
  Result,
  Row,
  Value,
} from "./src/sql/value.ts";
export * from "./src/errors.ts";
