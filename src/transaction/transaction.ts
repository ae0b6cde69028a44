import type {
  BatchOptions,
  CallOptions,
  Executor,
  Level,
  QueryOptions,
} from "../calls/executor.ts";
import type { Lock } from "../locks/lock.ts";
import type { Results, Statement } from "../sql/statement.ts";
import type { SqlFragment } from "../sql/fragment.ts";
import type { IntegerMode, Params, Result, Row, Value } from "../sql/value.ts";

/**
 * How a transaction is run.
 *
 * @example
 * ```ts
 * import { connect } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 * import { LocalLock } from "@tangled/rqlite/locks";
 *
 * const db = connect(embedded());
 * await db.execute("CREATE TABLE jobs(id INTEGER PRIMARY KEY, done INTEGER)");
 * // Those with the same lock queue instead of colliding; each has a second, the wait for the lock included.
 * const lock = new LocalLock("jobs");
 * await db.transaction(async (tx) => {
 *   const next = await tx.value<number>("SELECT min(id) FROM jobs WHERE done = 0");
 *   await tx.execute("UPDATE jobs SET done = 1 WHERE id = ?", [next ?? 0]);
 * }, { lock, timeout: 1000, retries: 3 });
 * await db.close();
 * ```
 */
export interface TransactionOptions extends CallOptions {
  /** Taken before the first run, released on every path; when it is lost, the transaction ends. */
  lock?: Lock | undefined;
  /** Serialises with other transactions of the same scope by a version row, without a lock. */
  scope?: string | undefined;
  /**
   * "serializable" checks at commit that everything that was read still holds; "none" only makes the writes atomic.
   *
   * @default {"serializable"}
   */
  isolation?: "serializable" | "none" | undefined;
  /**
   * "eager": every write answers with its result. "lazy": writes without RETURNING are kept back without a request and
   * answer `rowsAffected: -1`; their errors come at the next read, released savepoint or commit.
   *
   * @default {"eager"}
   */
  mode?: "eager" | "lazy" | undefined;
  /** Refuses writes; all reads hold in one snapshot. @default {false} */
  readOnly?: boolean | undefined;
  /** How current reads have to be while it runs; the commit is checked on the newest state. @default {"weak"} */
  level?: Level | undefined;
  /**
   * What `timeout` limits: the whole, or with "statement" each statement and the commit for itself, so that the caller
   * may take any time between them.
   *
   * @default {"transaction"}
   */
  timeoutPer?: "transaction" | "statement" | undefined;
  /** Runs of the function after the first, on conflict; only for `transaction(fn)`. @default {10} */
  retries?: number | undefined;
  /**
   * Waits, before it begins, for the transactions of this client that take turns and were asked for earlier, so that they
   * do not collide; not where it is `readOnly`. One that issues no statement for five seconds is passed over, and goes on.
   * The wait counts for `timeout`.
   *
   * @default {false}, but `true` in Drizzle and Kysely, and for requests of Hono that are not GET, HEAD or OPTIONS
   */
  turns?: boolean | undefined;
  /**
   * For drivers, whose users do not expect that anything runs again: where neither the call nor `connect` says otherwise,
   * `retries` is 0 and `turns` is `true`. @default {false}
   */
  driver?: boolean | undefined;
  /** How INTEGER values come back. @default {"number"} */
  integers?: IntegerMode | undefined;
  /** The form of rows. @default {"object"} */
  rows?: "object" | "array" | undefined;
}

/**
 * What a read inside a transaction takes. `signal` and `timeout` are its own, and end nothing else; `level` is the
 * transaction's and refused here, and freshness has no meaning for what is checked on the newest state.
 */
export interface TransactionQueryOptions extends QueryOptions {
  /**
   * `false` reads without checking at commit that the rows are still the same: for `random()`, and for results too large
   * to check. @default {true}
   */
  guard?: boolean | undefined;
}

/**
 * A place in a transaction to return to.
 *
 * @example
 * ```ts
 * import { connect } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 * import assert from "node:assert/strict";
 *
 * const db = connect(embedded());
 * await db.execute("CREATE TABLE t(n INTEGER)");
 * await db.transaction(async (tx) => {
 *   const before = await tx.savepoint();
 *   await tx.execute("INSERT INTO t VALUES(1)");
 *   await tx.rollbackTo(before);
 *   await tx.execute("INSERT INTO t VALUES(2)");
 * });
 * assert.equal(await db.value("SELECT group_concat(n) FROM t"), "2");
 * await db.close();
 * ```
 */
export interface Savepoint {
  /** Its name, unique if it was not chosen. */
  readonly name: string;
}

/**
 * A transaction: what is read and written through it is one serializable unit. Nothing is visible to others before the
 * commit, and the server holds nothing: a transaction that is abandoned costs nothing.
 *
 * @example
 * ```ts
 * import { connect } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 * import assert from "node:assert/strict";
 *
 * const db = connect(embedded());
 * await db.batch(["CREATE TABLE accounts(id INTEGER PRIMARY KEY, amount INTEGER)",
 *   "INSERT INTO accounts VALUES(1, 100), (2, 0)"]);
 * const tx = await db.begin();
 * const amount = await tx.value<number>("SELECT amount FROM accounts WHERE id = 1") ?? 0;
 * await tx.execute("UPDATE accounts SET amount = amount - ? WHERE id = 1", [amount]);
 * await tx.execute("UPDATE accounts SET amount = amount + ? WHERE id = 2", [amount]);
 * await tx.commit();
 * assert.equal(tx.state, "committed");
 * await db.close();
 * ```
 */
export interface Transaction extends Executor, AsyncDisposable {
  /**
   * Names the commit, for `client.outcome(id)`. Made when it is first read or at commit; the same over every copy of that
   * commit, another one for each run of the function.
   *
   * @throws {InterfaceError} If it is read before the first request of a client that has not committed yet.
   */
  readonly id: string;
  /** Fires when the caller aborts, the deadline passes or the lock is lost. */
  readonly signal: AbortSignal;
  /** Whether it can still be used, or how it ended; "unknown" when the answer to the commit was lost for good. */
  readonly state: "active" | "committed" | "rolledback" | "unknown";
  /**
   * With a lock or scope, once something was read: the version that this commit will carry, for third systems that
   * refuse lower ones. Two that hold a lock at once may see the same one; only one of them is committed.
   */
  readonly fencingToken: bigint | undefined;
  /**
   * Reads rows, behind what was written before, and has them checked at commit. What the `signal` or `timeout` of one call
   * ends, here and in `execute` and `batch`, is that call: nothing of it is kept, and the transaction can go on.
   *
   * @throws {ProgrammingError} If the SQL does not compile or changes data, or values do not fit.
   * @throws {NotSupportedError} If its rows cannot be checked.
   */
  query<R = Row>(
    sql: string | SqlFragment,
    params?: Params,
    options?: TransactionQueryOptions,
  ): Promise<Result<R>>;
  /**
   * Runs statements in order, all or nothing unless `atomic` is `false`; for a tuple of statements it answers a tuple of
   * results.
   *
   * @throws {DatabaseError} Of the first that failed; it carries its index.
   */
  batch<const Statements extends readonly Statement[]>(
    statements: Statements,
    options?: BatchOptions,
  ): Promise<Results<Statements>>;
  /**
   * The first row, or `undefined` without one. All rows that there are are checked at commit, as those of `query` are, not
   * the first alone.
   */
  first<R = Row>(
    sql: string | SqlFragment,
    params?: Params,
    options?: TransactionQueryOptions,
  ): Promise<R | undefined>;
  /** The first column of the first row, or `undefined` without one; checked at commit as `first` is. */
  value<T = Value>(
    sql: string | SqlFragment,
    params?: Params,
    options?: Omit<TransactionQueryOptions, "rows">,
  ): Promise<T | undefined>;
  /**
   * Sets a savepoint.
   *
   * @param name Unique if it is left out.
   */
  savepoint(name?: string): Promise<Savepoint>;
  /** Undoes what was done since the savepoint, which stays. @throws {ProgrammingError} If there is none of that name. */
  rollbackTo(savepoint: Savepoint | string): Promise<void>;
  /** Forgets the savepoint; what was done since stays. @throws {ProgrammingError} If there is none of that name. */
  release(savepoint: Savepoint | string): Promise<void>;
  /**
   * Nested: a savepoint around `fn`, undone if it throws. While `fn` runs, use the `tx` that it is given, which ends with
   * it: if statements went through the outer one and `fn` throws, or if the outer one begins another nested transaction or
   * commits, nothing can be committed any more.
   *
   * @throws {InterfaceError} If another nested transaction runs that was not begun around this one.
   */
  transaction<T>(fn: (tx: Transaction) => Promise<T>): Promise<T>;
  /**
   * Applies everything as one unit.
   *
   * @throws {TransactionConflictError} If what was read does not hold any more; nothing was kept.
   * @throws {OutcomeUnknownError} If it cannot be known whether it was applied; it carries the id.
   */
  commit(): Promise<void>;
  /** Forgets everything; without a request. Calling it again does nothing. */
  rollback(): Promise<void>;
}
