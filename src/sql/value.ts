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

/** Values for `?` placeholders in order, or by name for `:a`, `@a` and `$a`. */
export type Params = readonly Param[] | Readonly<Record<string, Param>> | NamedParams;

/**
 * How INTEGER values come back: "number" (beyond ±(2^53 - 1) a `DataError` names the column), "bigint",
 * "string", or "auto" (number where that is exact, else bigint). Columns declared REAL, DOUBLE or FLOAT
 * are numbers in every mode.
 */
export type IntegerMode = "number" | "bigint" | "string" | "auto";

/** A row as an object. */
export type Row = Record<string, Value>;

/** What a statement answered. */
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
