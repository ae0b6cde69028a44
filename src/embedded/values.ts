import { dateFromInteger, dateFromText } from "./dates.ts";
import { decodeLossy, INVALID_BYTE } from "./utf8.ts";

/** A value as SQLite stores it. */
export type StoredValue = null | bigint | number | string | Uint8Array;

/** A value as it goes out. */
export type WireValue = StoredValue | boolean;

const DATES: ReadonlySet<string> = new Set(["date", "datetime", "timestamp"]);
const TEXTS: ReadonlySet<string> = new Set(["", "text", "json"]);
const TEXT_PREFIXES = [
  "varchar",
  "varying character",
  "nchar",
  "native character",
  "nvarchar",
  "clob",
];

/**
 * Converts the rows of a result by the declared types of its columns, and fills in the types that
 * nothing declares from the first row.
 */
export function convertRows(
  rows: readonly (readonly StoredValue[])[],
  declared: readonly string[],
): { types: string[]; rows: WireValue[][] } {
  const types = [...declared];
  const converted: WireValue[][] = [];
  for (const row of rows) {
    // The types are looked at again for each row: a BLOB is text only while its column has no type.
    const values = row.map((value, i) => convert(value, declared[i] ?? "", types[i] ?? ""));
    if (converted.push(values) === 1) values.forEach((value, i) => types[i] ||= storedType(value));
  }
  return { types, rows: converted };
}

function convert(value: StoredValue, declared: string, type: string): WireValue {
  if (typeof value === "bigint") {
    if (DATES.has(declared)) return dateFromInteger(value);
    return declared === "boolean" ? value > 0n : value;
  }
  if (typeof value === "string") return DATES.has(declared) ? dateFromText(value) : value;
  if (value instanceof Uint8Array && isTextType(type)) return decodeLossy(value, INVALID_BYTE);
  return value;
}

function isTextType(type: string): boolean {
  return TEXTS.has(type) || TEXT_PREFIXES.some((prefix) => type.startsWith(prefix));
}

function storedType(value: WireValue): string {
  if (value === null) return "";
  if (typeof value === "bigint") return "integer";
  if (typeof value === "number") return "real";
  return typeof value === "string" ? "text" : "blob";
}
