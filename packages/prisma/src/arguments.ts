import type { ArgType } from "@prisma/driver-adapter-utils";
import { DataError, type Param } from "@tangled/rqlite";
import type { TimestampFormat } from "./options.ts";

/**
 * The arguments of a query of Prisma as parameters of the client.
 *
 * @throws {DataError} If a date is one whose text would not sort.
 */
export function paramsOf(
  args: readonly unknown[],
  types: readonly (ArgType | undefined)[],
  format: TimestampFormat,
): Param[] {
  // What is none of the types below is refused by the client, which names its position.
  return args.map((arg, i) => paramOf(arg, types[i]?.scalarType, format) as Param);
}

function paramOf(
  arg: unknown,
  type: ArgType["scalarType"] | undefined,
  format: TimestampFormat,
): unknown {
  if (arg instanceof Date) return dateParam(arg, format);
  if (typeof arg !== "string") return arg;
  switch (type) {
    case "int":
    case "bigint":
      return BigInt(arg);
    case "float":
      return Number(arg);
    case "decimal":
      return decimalParam(arg);
    case "datetime":
      return dateParam(new Date(arg), format);
    case "bytes":
      return bytesOf(arg);
    default:
      return arg;
  }
}

/** A DECIMAL column makes a number of text in any case; a parameter elsewhere should be one, too. */
function decimalParam(text: string): number | bigint {
  const integer = /^[+-]?\d+$/.test(text) ? BigInt(text) : undefined;
  return integer !== undefined && BigInt.asIntN(64, integer) === integer ? integer : Number(text);
}

/** As other adapters for SQLite write it, so that texts compare as dates do. */
function dateParam(date: Date, format: TimestampFormat): string | number {
  if (format === "unixepoch-ms") return date.getTime();
  const text = date.toISOString();
  // Other years have a sign and six digits, which sorts before all of these, and which the server reads as no date.
  if (/^\d/.test(text)) return text.replace("Z", "+00:00");
  throw new DataError(
    `Cannot use the date ${text} as dates that are text sort in the years 0 to 9999 only: ` +
      'store such a date as text or BigInt, or with `timestampFormat: "unixepoch-ms"`',
  );
}

function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
}
