/** What comes back from a column. Integers by {@linkcode IntegerMode}; BLOB as bytes. */
export type Value = null | number | bigint | string | boolean | Uint8Array;

/** What may be bound. `Date` becomes ISO 8601 text; `undefined`, NaN, ±Infinity and other objects are refused. */
export type Param = Value | Date | ArrayBuffer | ArrayBufferView;

/**
 * An object of values by name, whose type may be an `interface`. TypeScript cannot say of an interface what all of its
 * members are: each value is checked when it is bound.
 */
export type NamedParams = object & {
  /** It is no list. */
  readonly [Symbol.iterator]?: never;
  /** It is no Date. */
  readonly [Symbol.toPrimitive]?: never;
  /** It holds no bytes. */
  readonly byteLength?: never;
  /** It is no promise. */
  readonly then?: never;
  /** It is no function. */
  readonly call?: never;
};

/**
 * Values for `?` placeholders in order, or by name for `:a`, `@a` and `$a`.
 *
 * @example
 * ```ts
 * import type { Params } from "@tangled/rqlite";
 * const inOrder: Params = ["Ada", 1815]; // INSERT INTO people(name, born) VALUES (?, ?)
 * const byName: Params = { name: "Ada", born: 1815 }; // VALUES (:name, :born)
 * ```
 */
export type Params = readonly Param[] | Readonly<Record<string, Param>> | NamedParams;

/**
 * How INTEGER values come back: "number" (beyond ±(2^53 - 1) a `DataError` names the column), "bigint",
 * "string", or "auto" (number where that is exact, else bigint). Columns declared REAL, DOUBLE or FLOAT
 * are numbers in every mode.
 *
 * @example
 * ```ts
 * import { connect } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 *
 * const db = connect(embedded(), { integers: "auto" });
 * const { rows } = await db.query("SELECT 1 AS small, 9007199254740993 AS large");
 * console.log(rows); // [ { small: 1, large: 9007199254740993n } ]
 * await db.close();
 * ```
 */
export type IntegerMode = "number" | "bigint" | "string" | "auto";

/** A row as an object. */
export type Row = Record<string, Value>;

/**
 * What a statement answered.
 *
 * @example
 * ```ts
 * import { connect } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 *
 * const db = connect(embedded());
 * await db.execute("CREATE TABLE people(id INTEGER PRIMARY KEY, name TEXT)");
 * const { rowsAffected, lastInsertId } = await db.execute("INSERT INTO people(name) VALUES ('Ada')");
 * console.log(rowsAffected, lastInsertId); // 1 1
 * const { columns, types, rows } = await db.query("SELECT id, name FROM people");
 * console.log(columns, types, rows); // [ "id", "name" ] [ "integer", "text" ] [ { id: 1, name: "Ada" } ]
 * await db.close();
 * ```
 */
export interface Result<R = Row> {
  /** Column names, in order; empty for a write without RETURNING. */
  readonly columns: readonly string[];
  /** Declared types in lower case, "" where the server gives none. */
  readonly types: readonly string[];
  /** The rows, as objects or arrays. */
  readonly rows: R[];
  /** Rows inserted, updated or deleted; 0 for anything else. */
  readonly rowsAffected: number;
  /**
   * Only after an INSERT that inserted (0 is a rowid too); otherwise undefined. Never throws: beyond 2^53 it is
   * a bigint in mode "number".
   */
  readonly lastInsertId: number | bigint | undefined;
}
