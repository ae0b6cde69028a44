import { decodeLossy, INVALID_BYTE } from "./go_text.ts";

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

/** A date has no RFC 3339 form; the message is Go's. */
export class DateOutOfRange extends Error {
  /** "DateOutOfRange". */
  override readonly name = "DateOutOfRange";

  /** With Go's text. */
  constructor(what = "year outside of range [0,9999]") {
    super(`Time.MarshalText: ${what}`);
  }
}

const UNREADABLE = "0001-01-01T00:00:00Z";
const DAY = /^(\d{4})-(\d\d)-(\d\d)$/;
const MINUTE = /^(\d{4})-(\d\d)-(\d\d)(?: +|T)(\d\d?):(\d\d)$/;
const SECOND =
  /^(\d{4})-(\d\d)-(\d\d)(?: +|T)(\d\d?):(\d\d):(\d\d)(?:[.,](\d+))?(?:([+-])(\d\d):(\d\d))?$/;

/** A number in a date column: seconds since 1970, or milliseconds when it is that large. */
function dateFromInteger(value: bigint): string {
  const inMilliseconds = value > 1_000_000_000_000n || value < -1_000_000_000_000n;
  const nanoseconds = inMilliseconds
    ? BigInt.asIntN(64, value * 1_000_000n)
    : value * 1_000_000_000n;
  const fraction = ((nanoseconds % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const date = new Date(Number((nanoseconds - fraction) / 1_000_000n));
  const year = date.getUTCFullYear();
  if (year < 0 || year > 9999) throw new DateOutOfRange();
  return date.toISOString().slice(0, 19) + fractionText(String(fraction).padStart(9, "0")) + "Z";
}

/** A text in a date column; what is no date becomes the first second of year 1. */
function dateFromText(text: string): string {
  const bare = text.endsWith("Z") ? text.slice(0, -1) : text;
  const parts = SECOND.exec(bare) ?? MINUTE.exec(bare) ?? DAY.exec(bare);
  if (parts === null) return UNREADABLE;
  const [, year = "", month = "", day = "", hour = "0", minute = "00", second = "00"] = parts;
  const clock = Number(hour) < 24 && Number(minute) < 60 && Number(second) < 60;
  if (!clock || !isDay(Number(year), Number(month), Number(day))) return UNREADABLE;
  const zone = zoneText(parts[8], Number(parts[9] ?? 0), Number(parts[10] ?? 0));
  if (zone === undefined) return UNREADABLE;
  const fraction = fractionText((parts[7] ?? "").slice(0, 9));
  return `${year}-${month}-${day}T${hour.padStart(2, "0")}:${minute}:${second}${fraction}${zone}`;
}

function isDay(year: number, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1) return false;
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  return day <= (days[month - 1] ?? 0);
}

function zoneText(sign: string | undefined, hours: number, minutes: number): string | undefined {
  if (hours > 24 || minutes > 60) return undefined;
  const total = hours * 60 + minutes;
  if (total === 0) return "Z";
  if (total >= 24 * 60) throw new DateOutOfRange("timezone hour outside of range [0,23]");
  return `${sign}${pad(Math.trunc(total / 60))}:${pad(total % 60)}`;
}

function fractionText(digits: string): string {
  const kept = digits.replace(/0+$/, "");
  return kept === "" ? "" : `.${kept}`;
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}
