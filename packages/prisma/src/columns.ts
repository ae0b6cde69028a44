import { type ColumnType, ColumnTypeEnum, type SqlResultSet } from "@prisma/driver-adapter-utils";
import { DataError, type Result, type Value } from "@tangled/rqlite";
import type { TimestampFormat } from "./options.ts";

const { Int32, Int64, Float, Double, Numeric, Boolean: Bool, Text } = ColumnTypeEnum;
const { Date: Day, Time, DateTime, Json, Bytes, UnknownNumber } = ColumnTypeEnum;

/** Declared types, in lower case, as Prisma and other adapters for SQLite know them. */
const DECLARED: Readonly<Record<string, ColumnType>> = {
  decimal: Numeric,
  float: Float,
  double: Double,
  "double precision": Double,
  numeric: Double,
  real: Double,
  tinyint: Int32,
  smallint: Int32,
  mediumint: Int32,
  int: Int32,
  integer: Int32,
  serial: Int32,
  int2: Int32,
  bigint: Int64,
  "unsigned big int": Int64,
  int8: Int64,
  datetime: DateTime,
  timestamp: DateTime,
  time: Time,
  date: Day,
  text: Text,
  clob: Text,
  character: Text,
  varchar: Text,
  "varying character": Text,
  nchar: Text,
  "native character": Text,
  nvarchar: Text,
  blob: Bytes,
  boolean: Bool,
  jsonb: Json,
};

/**
 * A result as Prisma takes it.
 *
 * @throws {DataError} If milliseconds were stored in a column that the server rewrites.
 */
export function resultSetOf(
  result: Result<unknown>,
  format: TimestampFormat,
): SqlResultSet {
  const { columns, types } = result;
  // They were asked for by position.
  const rows = result.rows as Value[][];
  const columnTypes = columns.map((column, i) => {
    const type = typeOf(types[i] ?? "", rows, i);
    if (format === "unixepoch-ms" && isRewritten(types[i] ?? "")) {
      throw rewritten(column);
    }
    return type;
  });
  return {
    columnNames: [...columns],
    columnTypes,
    rows: rows.map((row) => row.map((value, i) => cellOf(value, columnTypes[i] ?? Text))),
  };
}

/** Whether the server makes text of the numbers in a column of that type. */
export function isRewritten(declared: string): boolean {
  return /^(?:date|datetime|timestamp)$/i.test(declared);
}

/** The error for a column that cannot hold milliseconds. */
export function rewritten(column: string): DataError {
  return new DataError(
    `Cannot use \`timestampFormat: "unixepoch-ms"\` with column ${
      JSON.stringify(column)
    }, as the ` +
      "server rewrites numbers in a column declared DATE, DATETIME or TIMESTAMP: declare it INTEGER",
    { column },
  );
}

/** Of an expression the server tells what the first row holds: the others may be something else. */
function typeOf(declared: string, rows: readonly Value[][], index: number): ColumnType {
  const known = DECLARED[declared.replace(/\(.*\)$/s, "").trim()];
  if (known !== undefined && !NUMBERS.includes(known) && known !== Text) return known;
  const kinds = new Set(rows.map((row) => kindOf(row[index] ?? null)));
  kinds.delete("null");
  if (kinds.size === 0) return known ?? Int32;
  if (isOnly(kinds, "integer", "long", "real") && known !== undefined && known !== Text) {
    if (known !== Int32 && known !== Int64) return known;
    if (kinds.has("real")) return Double;
    return kinds.has("long") ? Int64 : known;
  }
  if (isOnly(kinds, "integer", "real")) return UnknownNumber;
  if (isOnly(kinds, "integer", "long")) return Int64;
  if (isOnly(kinds, "boolean")) return Bool;
  return isOnly(kinds, "bytes") ? Bytes : Text;
}

const NUMBERS: readonly ColumnType[] = [Int32, Int64, Float, Double, Numeric];

type Kind = "null" | "integer" | "long" | "real" | "text" | "boolean" | "bytes";

function kindOf(value: Value): Kind {
  switch (typeof value) {
    case "number":
      return Number.isInteger(value) ? "integer" : "real";
    case "bigint":
      return "long";
    case "string":
      return "text";
    case "boolean":
      return "boolean";
  }
  return value === null ? "null" : "bytes";
}

function isOnly(
  kinds: ReadonlySet<Kind>,
  ...allowed: readonly Kind[]
): boolean {
  return [...kinds].every((kind) => allowed.includes(kind));
}

function cellOf(value: Value, type: ColumnType): unknown {
  if (typeof value === "bigint") return String(value);
  // Its column makes numbers of texts that look like one.
  if (type === Json && typeof value === "number") return String(value);
  return value;
}
