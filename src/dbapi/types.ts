// PEP 249's type objects and constructors. Where Python compares `description[0][1] == STRING`, this is
// `STRING.includes(description[0][1])`: JavaScript's `===` cannot be taught to.

/**
 * A class of declared types.
 *
 * @example
 * ```ts
 * import { connect, STRING } from "@tangled/rqlite/dbapi";
 * import { embedded } from "@tangled/rqlite/embedded";
 * import assert from "node:assert/strict";
 *
 * const connection = connect(embedded());
 * await connection.execute("CREATE TABLE users(name VARCHAR(20))");
 * const { description } = await connection.execute("SELECT name FROM users");
 * assert.ok(STRING.includes(description![0]![1]));
 * await connection.close();
 * ```
 */
export interface TypeObject {
  /** As PEP 249 calls it. */
  readonly name: "STRING" | "BINARY" | "NUMBER" | "DATETIME" | "ROWID";
  /**
   * Whether a column of this declared type belongs to it.
   *
   * @param typeCode The second item of a column's description; `null`, an unknown type, belongs to none.
   */
  includes(typeCode: string | null): boolean;
}

function typeObject(name: TypeObject["name"], pattern: RegExp): TypeObject {
  return { name, includes: (typeCode) => typeCode !== null && pattern.test(typeCode) };
}

/**
 * Text: declared types with CHAR, CLOB or TEXT in them.
 *
 * @example
 * ```ts
 * import { STRING } from "@tangled/rqlite/dbapi";
 * import assert from "node:assert/strict";
 *
 * assert.ok(STRING.includes("varchar(20)"));
 * ```
 */
export const STRING: TypeObject = typeObject("STRING", /char|clob|text/i);

/**
 * Bytes: declared types with BLOB or BINARY in them.
 *
 * @example
 * ```ts
 * import { BINARY } from "@tangled/rqlite/dbapi";
 * import assert from "node:assert/strict";
 *
 * assert.ok(BINARY.includes("blob"));
 * ```
 */
export const BINARY: TypeObject = typeObject("BINARY", /blob|binary/i);

/**
 * Numbers: INTEGER and its like, REAL, DOUBLE, FLOAT, NUMERIC, DECIMAL and BOOLEAN.
 *
 * @example
 * ```ts
 * import { NUMBER } from "@tangled/rqlite/dbapi";
 * import assert from "node:assert/strict";
 *
 * assert.ok(NUMBER.includes("decimal(10, 2)"));
 * ```
 */
export const NUMBER: TypeObject = typeObject("NUMBER", /int|real|floa|doub|num|dec|bool/i);

/**
 * DATE, TIME, DATETIME and TIMESTAMP; SQLite has no such type and stores what is written.
 *
 * @example
 * ```ts
 * import { DATETIME } from "@tangled/rqlite/dbapi";
 * import assert from "node:assert/strict";
 *
 * assert.ok(DATETIME.includes("timestamp"));
 * ```
 */
export const DATETIME: TypeObject = typeObject("DATETIME", /date|time/i);

/**
 * Columns that can be the rowid itself, which are declared as INTEGER and nothing else.
 *
 * @example
 * ```ts
 * import { ROWID } from "@tangled/rqlite/dbapi";
 * import assert from "node:assert/strict";
 *
 * assert.ok(ROWID.includes("integer") && !ROWID.includes("bigint"));
 * ```
 */
export const ROWID: TypeObject = typeObject("ROWID", /^integer$/i);

/**
 * A date as SQLite writes it, such as `2002-12-25`.
 *
 * @param month From 1 to 12.
 * @throws {RangeError} If there is no such day.
 *
 * @example
 * ```ts
 * import { Date } from "@tangled/rqlite/dbapi";
 * import assert from "node:assert/strict";
 *
 * assert.equal(Date(2002, 12, 25), "2002-12-25");
 * ```
 */
export function Date(year: number, month: number, day: number): string {
  return utc(year, month, day, 0, 0, 0).slice(0, 10);
}

/**
 * A time of day as SQLite writes it, such as `13:45:30`.
 *
 * @throws {RangeError} If there is no such time.
 *
 * @example
 * ```ts
 * import { Time } from "@tangled/rqlite/dbapi";
 * import assert from "node:assert/strict";
 *
 * assert.equal(Time(13, 45, 30), "13:45:30");
 * ```
 */
export function Time(hour: number, minute: number, second: number): string {
  return utc(2000, 1, 1, hour, minute, second).slice(11, 19);
}

/**
 * A moment in UTC, such as `2002-12-25T13:45:30.000Z`: the text that a bound JavaScript `Date` becomes.
 *
 * @param month From 1 to 12.
 * @throws {RangeError} If there is no such moment.
 *
 * @example
 * ```ts
 * import { Timestamp } from "@tangled/rqlite/dbapi";
 * import assert from "node:assert/strict";
 *
 * assert.equal(Timestamp(2002, 12, 25, 13, 45, 30), "2002-12-25T13:45:30.000Z");
 * ```
 */
export function Timestamp(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): string {
  return utc(year, month, day, hour, minute, second);
}

/**
 * The date, in UTC, of a moment.
 *
 * @param ticks Seconds since 1970 as in Python, not milliseconds.
 * @throws {RangeError} If no calendar reaches there.
 *
 * @example
 * ```ts
 * import { DateFromTicks } from "@tangled/rqlite/dbapi";
 * import assert from "node:assert/strict";
 *
 * assert.equal(DateFromTicks(1_040_823_930), "2002-12-25");
 * ```
 */
export function DateFromTicks(ticks: number): string {
  return TimestampFromTicks(ticks).slice(0, 10);
}

/**
 * The time of day, in UTC, of a moment.
 *
 * @param ticks Seconds since 1970 as in Python, not milliseconds.
 * @throws {RangeError} If no calendar reaches there.
 *
 * @example
 * ```ts
 * import { TimeFromTicks } from "@tangled/rqlite/dbapi";
 * import assert from "node:assert/strict";
 *
 * assert.equal(TimeFromTicks(1_040_823_930), "13:45:30");
 * ```
 */
export function TimeFromTicks(ticks: number): string {
  return TimestampFromTicks(ticks).slice(11, 19);
}

/**
 * A moment in UTC.
 *
 * @param ticks Seconds since 1970 as in Python, not milliseconds.
 * @throws {RangeError} If no calendar reaches there.
 *
 * @example
 * ```ts
 * import { TimestampFromTicks } from "@tangled/rqlite/dbapi";
 * import assert from "node:assert/strict";
 *
 * assert.equal(TimestampFromTicks(1_040_823_930), "2002-12-25T13:45:30.000Z");
 * ```
 */
export function TimestampFromTicks(ticks: number): string {
  const moment = new globalThis.Date(ticks * 1000);
  if (Number.isNaN(moment.getTime())) {
    throw new RangeError(
      `Cannot use \`ticks\` as it must be seconds since 1970: current value is ${ticks}`,
    );
  }
  return moment.toISOString();
}

/**
 * Bytes, as a copy; text becomes UTF-8.
 *
 * @example
 * ```ts
 * import { Binary } from "@tangled/rqlite/dbapi";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(Binary("Ada"), new Uint8Array([65, 100, 97]));
 * ```
 */
export function Binary(
  value: string | ArrayBuffer | ArrayBufferView | Iterable<number>,
): Uint8Array {
  if (typeof value === "string") return new TextEncoder().encode(value);
  if (value instanceof ArrayBuffer) return new Uint8Array(value.slice(0));
  if (ArrayBuffer.isView(value)) {
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice();
  }
  return Uint8Array.from(value);
}

/**
 * PEP 249's class for warnings. Nothing here throws one: what is cut off or doubtful is an error. It is there so that
 * code which names it keeps its meaning.
 */
export class Warning extends Error {
  /** "Warning". */
  override name = "Warning";
}

function utc(...parts: [number, number, number, number, number, number]): string {
  const [year, month, day, hour, minute, second] = parts;
  const moment = new globalThis.Date(0);
  // Date.UTC would take the years 0 to 99 for those from 1900 on.
  moment.setUTCFullYear(year, month - 1, day);
  moment.setUTCHours(hour, minute, second);
  const found = [
    moment.getUTCFullYear(),
    moment.getUTCMonth() + 1,
    moment.getUTCDate(),
    moment.getUTCHours(),
    moment.getUTCMinutes(),
    moment.getUTCSeconds(),
  ];
  if (year >= 0 && year <= 9999 && parts.every((part, i) => part === found[i])) {
    return moment.toISOString();
  }
  throw new RangeError(
    `Cannot make a date or time of ${parts.join(", ")} as the calendar has none such`,
  );
}
