// Every error class of the package. Wrong arguments (a parameter of an unsupported type, a negative timeout) are the
// platform's `TypeError` and `RangeError`; what the outside world did is one of these.

import type { Result } from "./sql/value.ts";

/** The stable codes of errors that do not come from SQLite; those begin with `SQLITE_`. */
export type ErrorCode =
  | "ERR_INTERFACE"
  | "ERR_DATABASE"
  | "ERR_DATA"
  | "ERR_INTEGRITY"
  | "ERR_INTERNAL"
  | "ERR_PROGRAMMING"
  | "ERR_NOT_SUPPORTED"
  | "ERR_UNCHECKABLE"
  | "ERR_OPERATIONAL"
  | "ERR_CONNECTION"
  | "ERR_TIMEOUT"
  | "ERR_TOO_LARGE"
  | "ERR_AUTHENTICATION"
  | "ERR_STALE_READ"
  | "ERR_OUTCOME_UNKNOWN"
  | "ERR_TRANSACTION_CONFLICT"
  | "ERR_LOCK"
  | "ERR_LOCK_TIMEOUT"
  | "ERR_LOCK_LOST"
  | "ERR_LOCK_UNAVAILABLE"
  | `SQLITE_${string}`;

/** What every error of the package can carry. */
export interface ErrorInit {
  /** Replaces the code of the class. */
  code?: ErrorCode;
  /** Repeating the whole unit may succeed, and nothing was applied. */
  retryable?: boolean;
  /** The error that led to this one. */
  cause?: unknown;
}

/** A place in the text of a statement. */
export interface Position {
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
}

/** What a statement's error can carry. */
export interface DatabaseErrorInit extends ErrorInit {
  /** The statement as the caller wrote it. */
  sql?: string;
  /** Where in it the error is, as far as what the server says leaves no doubt. */
  position?: Position;
  /** Its position in the batch, from 0. */
  statementIndex?: number;
  /** The results of the statements before it; in an atomic batch none of them was kept. */
  results?: readonly Result[];
  /** Of the rows given to `insertMany` or `executeMany`, how many were applied by earlier requests, and stay. */
  rowsApplied?: number;
}

/** What an error of a node or of the way to it can carry. */
export interface OperationalErrorInit extends DatabaseErrorInit {
  /** The HTTP status, where there was an answer. */
  status?: number;
  /** The node's origin, such as `http://localhost:4001`; never with credentials. */
  node?: string;
}

/** Where the prototype of each class here says its name, in every copy of the package. */
const CLASS = Symbol.for("@tangled/rqlite.error");

/**
 * Base of everything thrown for what the outside world did.
 *
 * @example
 * ```ts
 * import { connect, RqliteError } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 *
 * const db = connect(embedded());
 * try {
 *   await db.query("SELECT * FROM missing");
 * } catch (error) {
 *   if (!(error instanceof RqliteError)) throw error;
 *   console.log(error.name, error.code, error.retryable); // ProgrammingError SQLITE_ERROR false
 * }
 * await db.close();
 * ```
 */
export class RqliteError extends Error {
  /** "RqliteError". */
  override name = "RqliteError";
  /** Stable: `ERR_…`, or SQLite's own name such as `SQLITE_CONSTRAINT_UNIQUE`. */
  readonly code: string;
  /** Repeating the whole unit may succeed, and nothing was applied. */
  readonly retryable: boolean;

  /**
   * Makes an error.
   *
   * @param message What was attempted and what came of it.
   */
  constructor(message: string, init: ErrorInit & { code: ErrorCode }) {
    super(message, "cause" in init ? { cause: init.cause } : undefined);
    this.code = init.code;
    this.retryable = init.retryable ?? false;
  }

  /**
   * Whether a value is an error of this class, also where another copy of the package made it: a program may load one
   * from npm and one from JSR, or two versions. A class of your own that extends one of these has no other copy.
   */
  static override [Symbol.hasInstance](value: unknown): boolean {
    if (Function.prototype[Symbol.hasInstance].call(this, value)) return true;
    const name = classOf(this.prototype);
    if (name === undefined || typeof value !== "object" || value === null) return false;
    let prototype: unknown = value;
    do prototype = Object.getPrototypeOf(prototype); while (
      prototype !== null && classOf(prototype) !== name
    );
    return prototype !== null;
  }
}

function classOf(prototype: unknown): unknown {
  return Object.getOwnPropertyDescriptor(prototype, CLASS)?.value;
}

/** The client itself was used wrongly: after it was closed, or with a `mapNode` that fails. */
export class InterfaceError extends RqliteError {
  /** "InterfaceError". */
  override name = "InterfaceError";

  /**
   * Makes an error.
   *
   * @param message What was attempted and what came of it.
   */
  constructor(message: string, init: ErrorInit = {}) {
    super(message, { code: "ERR_INTERFACE", ...init });
  }
}

/**
 * Base of the errors that a statement or the database behind it caused.
 *
 * @example
 * ```ts
 * import { connect, DatabaseError } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 *
 * const db = connect(embedded());
 * await db.batch(["CREATE TABLE t(n)", "INSERT INTO t VALUES(1)", "INSERT INTO u VALUES(2)"]).catch((error) => {
 *   if (!(error instanceof DatabaseError)) throw error;
 *   console.log(error.statementIndex, error.sql); // 2 INSERT INTO u VALUES(2)
 * });
 * await db.close();
 * ```
 */
export class DatabaseError extends RqliteError {
  /** "DatabaseError". */
  override name = "DatabaseError";
  /** The statement as the caller wrote it. */
  declare readonly sql?: string;
  /** Where in it the error is; only where what the server says leaves no doubt. */
  declare readonly position?: Position;
  /** Its position in the batch, from 0. */
  declare readonly statementIndex?: number;
  /** The results of the statements before it; in an atomic batch none of them was kept. */
  declare readonly results?: readonly Result[];
  /**
   * Of the rows given to `insertMany`, or to `executeMany` with autocommit, how many were applied by earlier requests, and
   * stay: the first ones, and of the others none, unless `rowsUnknown` says more.
   */
  declare readonly rowsApplied?: number;

  /**
   * Makes an error.
   *
   * @param message What was attempted and what came of it.
   */
  constructor(message: string, init: DatabaseErrorInit = {}) {
    super(message, { code: "ERR_DATABASE", ...init });
    if (init.sql !== undefined) this.sql = init.sql;
    if (init.position !== undefined) this.position = init.position;
    if (init.statementIndex !== undefined) this.statementIndex = init.statementIndex;
    // They may be long: what prints an error or makes JSON of it leaves them out.
    if (init.results !== undefined) {
      const value = init.results;
      Object.defineProperty(this, "results", { value, configurable: true, writable: true });
    }
    if (init.rowsApplied !== undefined) this.rowsApplied = init.rowsApplied;
  }
}

/**
 * A value does not fit: an integer beyond 2^53 in mode "number", a blob that arrived as broken text.
 *
 * @example
 * ```ts
 * import { connect, DataError } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 *
 * const db = connect(embedded());
 * await db.query("SELECT 9007199254740993 AS n").catch((error) => {
 *   if (!(error instanceof DataError)) throw error;
 *   console.log(error.column); // n: ask for it with `integers: "bigint"`
 * });
 * await db.close();
 * ```
 */
export class DataError extends DatabaseError {
  /** "DataError". */
  override name = "DataError";
  /** The result column it stood in. */
  declare readonly column?: string;

  /**
   * Makes an error.
   *
   * @param message What was attempted and what came of it.
   */
  constructor(message: string, init: DatabaseErrorInit & { column?: string } = {}) {
    super(message, { code: "ERR_DATA", ...init });
    if (init.column !== undefined) this.column = init.column;
  }
}

/** Which kind of constraint refused a row. */
export type Constraint =
  | "unique"
  | "primarykey"
  | "notnull"
  | "check"
  | "foreignkey"
  | "trigger"
  | "datatype"
  | "rowid";

/**
 * A constraint refused the statement; it changed nothing.
 *
 * @example
 * ```ts
 * import { connect, IntegrityError } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 *
 * const db = connect(embedded());
 * await db.execute("CREATE TABLE users(email TEXT UNIQUE)");
 * await db.execute("INSERT INTO users VALUES('ada@example.com')");
 * try {
 *   await db.execute("INSERT INTO users VALUES('ada@example.com')");
 * } catch (error) {
 *   if (!(error instanceof IntegrityError && error.constraint === "unique")) throw error;
 *   console.log(error.table, error.columns); // users [ "email" ]
 * }
 * await db.close();
 * ```
 */
export class IntegrityError extends DatabaseError {
  /** "IntegrityError". */
  override name = "IntegrityError";
  /** Which kind; a primary key may read as `unique`, the server's text is the same. */
  readonly constraint: Constraint;
  /** The table, where the server names it. */
  declare readonly table?: string;
  /** The columns, where the server names them. */
  readonly columns: readonly string[];

  /**
   * Makes an error.
   *
   * @param message What was attempted and what came of it.
   */
  constructor(
    message: string,
    init: DatabaseErrorInit & {
      constraint: Constraint;
      table?: string;
      columns?: readonly string[];
    },
  ) {
    super(message, { code: "ERR_INTEGRITY", ...init });
    this.constraint = init.constraint;
    if (init.table !== undefined) this.table = init.table;
    this.columns = init.columns ?? [];
  }
}

/** A node answered a read with something that is not rqlite's format. */
export class InternalError extends DatabaseError {
  /** "InternalError". */
  override name = "InternalError";

  /**
   * Makes an error.
   *
   * @param message What was attempted and what came of it.
   */
  constructor(message: string, init: DatabaseErrorInit = {}) {
    super(message, { code: "ERR_INTERNAL", ...init });
  }
}

/**
 * SQL that does not compile, a missing table, parameters that do not match; nothing was applied.
 *
 * @example
 * ```ts
 * import { connect, ProgrammingError } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 *
 * const db = connect(embedded());
 * await db.query("SELECT ?, ?", [1]).catch((error) => console.log(error instanceof ProgrammingError)); // true
 * await db.close();
 * ```
 */
export class ProgrammingError extends DatabaseError {
  /** "ProgrammingError". */
  override name = "ProgrammingError";

  /**
   * Makes an error.
   *
   * @param message What was attempted and what came of it.
   */
  constructor(message: string, init: DatabaseErrorInit = {}) {
    super(message, { code: "ERR_PROGRAMMING", ...init });
  }
}

/** The server, or this client, does not offer what was asked for; nothing was applied. */
export class NotSupportedError extends DatabaseError {
  /** "NotSupportedError". */
  override name = "NotSupportedError";

  /**
   * Makes an error.
   *
   * @param message What was attempted and what came of it.
   */
  constructor(message: string, init: DatabaseErrorInit = {}) {
    super(message, { code: "ERR_NOT_SUPPORTED", ...init });
  }
}

/** The cluster could not do it now. */
export class OperationalError extends DatabaseError {
  /** "OperationalError". */
  override name = "OperationalError";
  /** The HTTP status, where there was an answer. */
  declare readonly status?: number;
  /** The node's origin; never with credentials. */
  declare readonly node?: string;

  /**
   * Makes an error.
   *
   * @param message What was attempted and what came of it.
   */
  constructor(message: string, init: OperationalErrorInit = {}) {
    super(message, { code: "ERR_OPERATIONAL", ...init });
    if (init.status !== undefined) this.status = init.status;
    if (init.node !== undefined) this.node = init.node;
  }
}

/**
 * No node could be reached; nothing was applied.
 *
 * @example
 * ```ts
 * import { connect, ConnectionError } from "@tangled/rqlite";
 *
 * const db = connect("http://localhost:1", { retries: 0 });
 * await db.query("SELECT 1").catch((error) => {
 *   if (!(error instanceof ConnectionError)) throw error;
 *   console.log(error.node); // http://localhost:1
 * });
 * await db.close();
 * ```
 */
export class ConnectionError extends OperationalError {
  /** "ConnectionError". */
  override name = "ConnectionError";

  /**
   * Makes an error.
   *
   * @param message What was attempted and what came of it.
   */
  constructor(message: string, init: OperationalErrorInit = {}) {
    super(message, { code: "ERR_CONNECTION", retryable: true, ...init });
  }
}

/**
 * The deadline passed before anything was sent, or during a read; nothing was applied.
 *
 * @example
 * ```ts
 * import { connect, TimeoutError } from "@tangled/rqlite";
 *
 * const never: typeof fetch = (_, init) =>
 *   new Promise((_, reject) => init?.signal?.addEventListener("abort", () => reject(init.signal?.reason)));
 * const db = connect({ fetch: never, timeout: 50, retries: 0 });
 * await db.query("SELECT 1").catch((error) => console.log(error instanceof TimeoutError)); // true
 * await db.close();
 * ```
 */
export class TimeoutError extends OperationalError {
  /** "TimeoutError". */
  override name = "TimeoutError";

  /**
   * Makes an error.
   *
   * @param message What was attempted and what came of it.
   */
  constructor(message: string, init: OperationalErrorInit = {}) {
    super(message, { code: "ERR_TIMEOUT", retryable: true, ...init });
  }
}

/** The user name or password was refused, or the user lacks the permission. */
export class AuthenticationError extends OperationalError {
  /** "AuthenticationError". */
  override name = "AuthenticationError";

  /**
   * Makes an error.
   *
   * @param message What was attempted and what came of it.
   */
  constructor(message: string, init: OperationalErrorInit = {}) {
    super(message, { code: "ERR_AUTHENTICATION", ...init });
  }
}

/** A node at level "none" was staler than `freshness` allows, or what a session has seen is not to be had. */
export class StaleReadError extends OperationalError {
  /** "StaleReadError". */
  override name = "StaleReadError";

  /**
   * Makes an error.
   *
   * @param message What was attempted and what came of it.
   */
  constructor(message: string, init: OperationalErrorInit = {}) {
    super(message, { code: "ERR_STALE_READ", retryable: true, ...init });
  }
}

/**
 * A write may or may not have been applied: its answer was lost, cut off, malformed or of an unknown text. Where it
 * carried an id, `client.outcome(id)` tells later what became of it; otherwise look at the data before repeating it.
 *
 * @example
 * ```ts
 * import { connect, OutcomeUnknownError } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 *
 * const { fetch, close } = embedded();
 * let lost = false;
 * // Loses the answer to each write, and every one behind it.
 * const losing: typeof fetch = async (input, init) => {
 *   const answer = await fetch(input, init);
 *   lost ||= String(init?.body).includes("VALUES(7)");
 *   if (lost) throw new TypeError("connection reset");
 *   return answer;
 * };
 * const db = connect({ fetch: losing, close, timeout: 200 });
 * await db.execute("CREATE TABLE orders(n INTEGER)");
 * await db.execute("INSERT INTO orders VALUES(7)", [], { id: "order-7" }).catch(async (error) => {
 *   if (!(error instanceof OutcomeUnknownError)) throw error;
 *   lost = false;
 *   console.log(await db.outcome(error.id ?? "")); // committed
 * });
 * await db.close();
 * ```
 */
export class OutcomeUnknownError extends OperationalError {
  /** "OutcomeUnknownError". */
  override name = "OutcomeUnknownError";
  /** What `outcome` takes; only a commit and an `execute` with an id have one. */
  declare readonly id?: string;
  /** Of the rows given to `insertMany` or `executeMany`, how many behind `rowsApplied` were in the request: all are in, or none. */
  declare readonly rowsUnknown?: number;

  /**
   * Makes an error.
   *
   * @param message What was attempted and what came of it.
   */
  constructor(
    message: string,
    init: OperationalErrorInit & { id?: string; rowsUnknown?: number } = {},
  ) {
    super(message, { code: "ERR_OUTCOME_UNKNOWN", ...init });
    if (init.id !== undefined) this.id = init.id;
    if (init.rowsUnknown !== undefined) this.rowsUnknown = init.rowsUnknown;
  }
}

/**
 * Another client changed what the transaction had read, so it was refused: nothing was kept, and no late copy of it
 * can be. Running the whole transaction again may succeed.
 *
 * @example
 * ```ts
 * import { connect, TransactionConflictError } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 *
 * const db = connect(embedded());
 * await db.script("CREATE TABLE t(n); INSERT INTO t VALUES(1)");
 * const tx = await db.begin();
 * const n = await tx.value<number>("SELECT n FROM t") ?? 0;
 * await db.execute("UPDATE t SET n = 5"); // somebody else
 * await tx.execute("UPDATE t SET n = ?", [n + 1]);
 * await tx.commit().catch((error) => console.log(error instanceof TransactionConflictError)); // true
 * await db.close();
 * ```
 */
export class TransactionConflictError extends OperationalError {
  /** "TransactionConflictError". */
  override name = "TransactionConflictError";
  /** How often the transaction ran. */
  readonly attempts: number;

  /**
   * Makes an error.
   *
   * @param message What was attempted and what came of it.
   */
  constructor(message: string, init: OperationalErrorInit & { attempts?: number } = {}) {
    super(message, { code: "ERR_TRANSACTION_CONFLICT", retryable: true, ...init });
    this.attempts = init.attempts ?? 1;
  }
}

/** A lock could not be taken or kept. */
export class LockError extends OperationalError {
  /** "LockError". */
  override name = "LockError";
  /** The name of the lock. */
  readonly lock: string;

  /**
   * Makes an error.
   *
   * @param message What was attempted and what came of it.
   */
  constructor(message: string, init: OperationalErrorInit & { lock: string }) {
    super(message, { code: "ERR_LOCK", ...init });
    this.lock = init.lock;
  }
}

/**
 * Somebody else held the lock for as long as the caller would wait.
 *
 * @example
 * ```ts
 * import { LockTimeoutError } from "@tangled/rqlite";
 * import { LocalLock } from "@tangled/rqlite/locks";
 *
 * const lock = new LocalLock("reports");
 * const handle = await lock.acquire();
 * await lock.acquire({ timeout: 0 }).catch((error) => console.log(error instanceof LockTimeoutError)); // true
 * await handle.release();
 * ```
 */
export class LockTimeoutError extends LockError {
  /** "LockTimeoutError". */
  override name = "LockTimeoutError";

  /**
   * Makes an error.
   *
   * @param message What was attempted and what came of it.
   */
  constructor(message: string, init: OperationalErrorInit & { lock: string }) {
    super(message, { code: "ERR_LOCK_TIMEOUT", ...init });
  }
}

/** The lock was lost, or its handle released, before the commit was sent: nothing was applied. */
export class LockLostError extends LockError {
  /** "LockLostError". */
  override name = "LockLostError";

  /**
   * Makes an error.
   *
   * @param message What was attempted and what came of it.
   */
  constructor(message: string, init: OperationalErrorInit & { lock: string }) {
    super(message, { code: "ERR_LOCK_LOST", ...init });
  }
}

/** What keeps the lock cannot be reached or refuses it. */
export class LockUnavailableError extends LockError {
  /** "LockUnavailableError". */
  override name = "LockUnavailableError";

  /**
   * Makes an error.
   *
   * @param message What was attempted and what came of it.
   */
  constructor(message: string, init: OperationalErrorInit & { lock: string }) {
    super(message, { code: "ERR_LOCK_UNAVAILABLE", ...init });
  }
}

const classes = {
  RqliteError,
  InterfaceError,
  DatabaseError,
  DataError,
  IntegrityError,
  InternalError,
  ProgrammingError,
  NotSupportedError,
  OperationalError,
  ConnectionError,
  TimeoutError,
  AuthenticationError,
  StaleReadError,
  OutcomeUnknownError,
  TransactionConflictError,
  LockError,
  LockTimeoutError,
  LockLostError,
  LockUnavailableError,
};
for (const [name, { prototype }] of Object.entries(classes)) {
  Object.defineProperty(prototype, CLASS, { value: name });
}
