// How what SQLite stores becomes the values of the columns, with every digit.

import "./version.ts";
import { DataError } from "@tangled/rqlite";
import { type SQL, sql, type SQLChunk } from "drizzle-orm/sql";
import * as core from "drizzle-orm/sqlite-core";
import type { SQLiteCodecs } from "drizzle-orm/sqlite-core";

/** Inside JSON SQLite before 3.46 writes 15 digits of a REAL, and JSON.parse() rounds an integer. */
const numberToText = (cell: SQLChunk): SQL =>
  sql`case typeof(${cell}) when 'real' then printf('%!.17g', ${cell}) else cast(${cell} as text) end`;

/** `hex(NULL)` is no NULL. */
const bytesToText = (cell: SQLChunk): SQL =>
  sql`case when ${cell} is null then null else hex(${cell}) end`;

const INTEGER = /^-?\d+$/;

function tooLong(digits: bigint | string): DataError {
  return new DataError(
    `Cannot return ${digits} as a number without losing digits: declare its column with customType and BigInt`,
  );
}

/** Rows hold a bigint where a number would not be exact. */
function exact<T>(cell: T): T {
  if (typeof cell === "bigint") throw tooLong(cell);
  return cell;
}

/** Of text that is no number, the text: a column of SQLite may hold it whatever its type is. */
function numberOf(text: string): number | string {
  const value = Number(text);
  if (INTEGER.test(text) && !Number.isSafeInteger(value)) throw tooLong(text);
  return text.trim() === "" || Number.isNaN(value) ? text : value;
}

function decimalOf(text: string): string {
  return INTEGER.test(text) ? text : String(numberOf(text));
}

function bigintOf(cell: number | bigint | string): bigint {
  if (typeof cell === "bigint" || Number.isSafeInteger(cell)) return BigInt(cell);
  if (typeof cell === "string" && INTEGER.test(cell)) return BigInt(cell);
  throw new DataError(
    `Cannot return ${cell} as a bigint as SQLite does not hold it as an integer: its digits are lost, or it has a fraction`,
  );
}

/**
 * The codecs of this driver, to build others on: what is too long for the type of its column is a `DataError`, neither
 * rounded nor returned as another type.
 *
 * @example
 * ```ts
 * import { connect } from "@tangled/rqlite";
 * import { drizzle, rqliteCodecs } from "@tangled/rqlite-drizzle-v1";
 * import { embedded } from "@tangled/rqlite/embedded";
 * import { sql } from "drizzle-orm";
 * import { integer, sqliteTable } from "drizzle-orm/sqlite-core";
 *
 * const codecs = { ...rqliteCodecs, "integer:boolean": { normalize: (n: number) => n !== 0 } };
 * const db = drizzle(connect(embedded()), { codecs });
 * const flags = sqliteTable("flags", { flag: integer({ mode: "boolean" }) });
 * await db.run(sql`CREATE TABLE flags AS SELECT 7 AS flag`);
 * console.log(await db.select().from(flags)); // [ { flag: true } ]
 * await db.$client.close();
 * ```
 */
export const rqliteCodecs: SQLiteCodecs = core.refineSqliteCodecs({
  integer: { normalize: exact, castInJson: numberToText, normalizeInJson: numberOf },
  "integer:boolean": { normalize: core.booleanFromInteger },
  "integer:timestamp": { normalize: (cell) => core.dateFromStoredSeconds(exact(cell)) },
  "integer:timestamp_ms": { normalize: (cell) => core.dateFromStoredMilliseconds(exact(cell)) },
  real: { normalize: exact, castInJson: numberToText, normalizeInJson: numberOf },
  "text:json": { normalize: JSON.parse },
  blob: { normalize: core.bufferFromBinaryIfAvailable, castInJson: bytesToText },
  "blob:json": { cast: core.castToText, normalize: JSON.parse },
  "blob:bigint": { cast: core.castToText, normalize: BigInt },
  numeric: { normalize: String, castInJson: numberToText, normalizeInJson: decimalOf },
  "numeric:number": {
    normalize: (cell) => Number(exact(cell)),
    castInJson: numberToText,
    normalizeInJson: numberOf,
  },
  "numeric:bigint": { normalize: bigintOf, castInJson: numberToText, normalizeInJson: bigintOf },
});
