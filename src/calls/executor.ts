import type { SqlFragment } from "../sql/fragment.ts";
import type { Statement } from "../sql/statement.ts";
import type { IntegerMode, Params, Result, Row, Value } from "../sql/value.ts";

/**
 * How current a read has to be, rqlite's own levels: "none" asks any node for what it has, "weak" asks the
 * leader, "linearizable" makes the leader prove that it still is one, "strong" sends the read through the
 * Raft log, and "auto" is "weak" on a voter and "none" on a read replica.
 *
 * @example
 * ```ts
 * import { connect } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 *
 * const db = connect(embedded(), { level: "weak" }); // of every read that says nothing else
 * console.log(await db.value("SELECT 1", [], { level: "none", freshness: 1_000 })); // 1
 * await db.close();
 * ```
 */
export type Level = "none" | "weak" | "linearizable" | "strong" | "auto";

/**
 * What every call takes.
 *
 * @example
 * ```ts
 * import { connect } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 *
 * const db = connect(embedded());
 * const signal = AbortSignal.timeout(10_000);
 * console.log(await db.value("SELECT 2", [], { signal, timeout: 1_000, integers: "bigint" })); // 2n
 * await db.close();
 * ```
 */
export interface CallOptions {
  /** Ends the call with the signal's own reason; a write that was already sent may still be applied. */
  signal?: AbortSignal | undefined;
  /** Milliseconds over all attempts. @default {30000} */
  timeout?: number | undefined;
  /** How INTEGER values come back. @default {"number"} */
  integers?: IntegerMode | undefined;
  /**
   * Whether the call may share a request with others of the same client: single reads as one list, writes as one commit.
   * Each has its own result, error, signal and deadline. `false` for what takes long, as it would hold up the others.
   * @default {true}
   */
  coalesce?: boolean | undefined;
}

/**
 * What a read takes.
 *
 * @example
 * ```ts
 * import { connect } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 *
 * const db = connect(embedded());
 * const { rows } = await db.query("SELECT 1, 2 AS two", [], { level: "strong", rows: "array" });
 * console.log(rows); // [ [ 1, 2 ] ]
 * await db.close();
 * ```
 */
export interface QueryOptions extends CallOptions {
  /** How current the rows have to be. @default {"linearizable"} */
  level?: Level | undefined;
  /** Milliseconds of staleness accepted with level "none". */
  freshness?: number | undefined;
  /** Also requires the node's last applied entry to be that recent, by the leader's clock. @default {false} */
  freshnessStrict?: boolean | undefined;
  /** "array" keeps duplicate column names; in an object the last of them wins. @default {"object"} */
  rows?: "object" | "array" | undefined;
}

/**
 * What a write takes.
 *
 * @example
 * ```ts
 * import { connect } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 *
 * const db = connect(embedded());
 * await db.execute("CREATE TABLE orders(n INTEGER)");
 * for (let i = 0; i < 2; i++) await db.execute("INSERT INTO orders VALUES(7)", [], { id: "order-7" });
 * console.log(await db.value("SELECT count(*) FROM orders")); // 1
 * await db.close();
 * ```
 */
export interface ExecuteOptions extends CallOptions {
  /** The form of the rows of RETURNING. @default {"object"} */
  rows?: "object" | "array" | undefined;
  /**
   * Names the write, such as `order-7`: however often it is called with it, it is applied once. A later call does nothing
   * more, and answers `rowsAffected: -1`; that holds while the id is among the last 100,000 that were used. With another
   * statement or other values it is a `ProgrammingError`. An id whose write failed is spent. What writes nothing takes no
   * id. See `outcome`.
   */
  id?: string | undefined;
  /** Overrides the client's `exactlyOnce` for this call. */
  exactlyOnce?: boolean | undefined;
}

/**
 * What a batch takes.
 *
 * @example
 * ```ts
 * import { connect } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 *
 * const db = connect(embedded());
 * const statements = ["CREATE TABLE t(n UNIQUE)", "INSERT INTO t VALUES(1)", "INSERT INTO t VALUES(1)"];
 * await db.batch(statements, { atomic: false }).catch((error) => console.log(error.statementIndex)); // 2
 * console.log(await db.value("SELECT count(*) FROM t")); // 1, as each statement stands for itself
 * await db.close();
 * ```
 */
export interface BatchOptions extends ExecuteOptions, QueryOptions {
  /** All or nothing. Without it each statement stands for itself and the first error does not stop the rest. @default {true} */
  atomic?: boolean | undefined;
}

/**
 * The seam between the client and everything above it: whatever executes SQL implements these.
 *
 * @example
 * ```ts
 * import { connect, type Executor } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 *
 * // Runs on a client as on a transaction.
 * async function rename(on: Executor, id: number, name: string): Promise<void> {
 *   await on.execute("UPDATE users SET name = ? WHERE id = ?", [name, id]);
 * }
 *
 * const db = connect(embedded());
 * await db.execute("CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT)");
 * await rename(db, 1, "Ada");
 * await db.transaction((tx) => rename(tx, 1, "Grace"));
 * await db.close();
 * ```
 */
export interface Executor {
  /**
   * Runs a statement that reads.
   *
   * @throws {ProgrammingError} If the statement changes data, does not compile, or its parameters do not match.
   * @throws {TypeError} If an argument has the wrong form.
   */
  query<R = Row>(
    sql: string | SqlFragment,
    params?: Params,
    options?: QueryOptions,
  ): Promise<Result<R>>;
  /**
   * Runs a statement that changes data; the rows of a RETURNING clause are in the result.
   *
   * @throws {IntegrityError} If a constraint refused it.
   * @throws {OutcomeUnknownError} If it cannot be known whether it was applied.
   */
  execute<R = Row>(
    sql: string | SqlFragment,
    params?: Params,
    options?: ExecuteOptions,
  ): Promise<Result<R>>;
  /**
   * Runs several statements, all or none of them unless `atomic` is false.
   *
   * @throws {DatabaseError} Of the first statement that failed, with `statementIndex` and the `results` before it.
   */
  batch(statements: readonly Statement[], options?: BatchOptions): Promise<Result[]>;
  /**
   * The first row of a query, or `undefined` where there is none. The statement is sent as it is: where it may have many
   * rows, say `LIMIT 1` in it.
   *
   * @example
   * ```ts
   * import { connect, sql } from "@tangled/rqlite";
   * import { embedded } from "@tangled/rqlite/embedded";
   *
   * const db = connect(embedded());
   * await db.execute("CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT)");
   * await db.execute(sql`INSERT INTO users ${sql.insert({ name: "Ada" })}`);
   * const user = await db.first<{ name: string }>("SELECT name FROM users WHERE id = ?", [1]);
   * console.log(user?.name); // Ada
   * console.log(await db.first(sql`SELECT * FROM users WHERE id = ${2}`)); // undefined
   * await db.close();
   * ```
   *
   * @throws {ProgrammingError} As `query` does: also of an INSERT with RETURNING, whose row is in `rows` of `execute`.
   */
  first<R = Row>(
    sql: string | SqlFragment,
    params?: Params,
    options?: QueryOptions,
  ): Promise<R | undefined>;
  /**
   * The first column of the first row of a query, or `undefined` where there is no row; NULL is `null`.
   *
   * @example
   * ```ts
   * import { connect } from "@tangled/rqlite";
   * import { embedded } from "@tangled/rqlite/embedded";
   *
   * const db = connect(embedded());
   * await db.execute("CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT)");
   * console.log(await db.value<number>("SELECT count(*) FROM users")); // 0
   * console.log(await db.value("SELECT name FROM users WHERE id = ?", [7])); // undefined
   * await db.close();
   * ```
   *
   * @throws {ProgrammingError} As `query` does.
   */
  value<T = Value>(
    sql: string | SqlFragment,
    params?: Params,
    options?: Omit<QueryOptions, "rows">,
  ): Promise<T | undefined>;
}

/** The first row of a result. */
export function firstOf<R>({ rows }: Result<R>): R | undefined {
  return rows[0];
}

/** The options of a query whose first column is wanted: names that are equal or twice do not matter then. */
export function asCells<O extends QueryOptions>(options: O | undefined): O & { rows: "array" } {
  // The spread of nothing has no more of O's members than the caller gave.
  return { ...options, rows: "array" } as O & { rows: "array" };
}

/** The first column of the first row; the rows have to be arrays. */
export function valueOf<T>({ rows }: Result<unknown>): T | undefined {
  // The value has the type that the caller named with T.
  return (rows[0] as readonly T[] | undefined)?.[0];
}
