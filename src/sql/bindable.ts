import { isFragment } from "./fragment.ts";
import { bytesOf } from "./quoting.ts";
import type { Param } from "./value.ts";

/** A value that a node takes as a parameter, or bytes, which must be written into the statement. */
export type Bindable = null | number | bigint | string | boolean | Uint8Array;

const JSON_TEXT = "bind text, such as JSON.stringify() of it";
const MIN_INTEGER = -(2n ** 63n);
const MAX_INTEGER = 2n ** 63n - 1n;

/**
 * Checks a value.
 *
 * @param parameter Its number, or its name with the prefix; for errors.
 * @throws {TypeError} If it is of a type that SQLite does not have.
 * @throws {RangeError} If SQLite cannot store it exactly.
 */
export function bindable(value: unknown, parameter: number | string): Bindable {
  switch (typeof value) {
    case "string":
      if (value.isWellFormed()) return value;
      throw new RangeError(
        `Cannot bind parameter ${parameter} as its text holds half of a surrogate pair: ` +
          "bind bytes, or toWellFormed()",
      );
    case "number":
      if (Number.isFinite(value)) return value;
      throw new RangeError(
        `Cannot bind parameter ${parameter} as ${value} is not a number SQLite can store`,
      );
    case "bigint":
      if (value >= MIN_INTEGER && value <= MAX_INTEGER) return value;
      throw new RangeError(
        `Cannot bind parameter ${parameter} as it is a bigint of more than 64 bits: bind text`,
      );
    case "boolean":
      return value;
    case "object":
      return value === null ? null : objectValue(value, parameter);
    case "undefined":
      throw new TypeError(
        `Cannot bind parameter ${parameter} as it is undefined: bind null for NULL`,
      );
  }
  const advice = typeof value === "function" ? "call it" : "bind text";
  throw new TypeError(`Cannot bind parameter ${parameter} as it is ${described(value)}: ${advice}`);
}

function objectValue(value: object, parameter: number | string): Bindable {
  if (value instanceof Date) return dateText(value, parameter);
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return bytesOf(value);
  const advice = isFragment(value)
    ? "put fragments together with sql`…`"
    : isPromise(value)
    ? "await it"
    : `${Array.isArray(value) ? "use sql.list() for IN (…), or " : ""}${JSON_TEXT}`;
  throw new TypeError(`Cannot bind parameter ${parameter} as it is ${described(value)}: ${advice}`);
}

function dateText(value: Date, parameter: number | string): string {
  if (!Number.isNaN(value.getTime())) return value.toISOString();
  throw new RangeError(`Cannot bind parameter ${parameter} as it is an invalid Date`);
}

/**
 * Whether newer servers would take a text for a blob: `x'41'`, with any white space around it.
 */
export function looksLikeBlob(text: string): boolean {
  // Most texts end in something else; only the others are worth the pattern.
  const last = text.charCodeAt(text.length - 1);
  return (last === 39 || last <= 32 || last >= 0x85) && blobLike.test(text);
}

// White space as Go's strings.TrimSpace has it: JavaScript's and U+0085.
const blobLike = /^[\s\u0085]*x'(?:[0-9a-f]{2})*'[\s\u0085]*$/i;

/** What a wrong value is, without its contents. */
export function described(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value !== "object") return `a ${typeof value}`;
  if (isPromise(value)) return "a promise";
  if (Array.isArray(value)) return "an array";
  const name = Object.prototype.toString.call(value).slice(8, -1);
  return name === "Object" ? "an object" : `an object of type ${name}`;
}

/** Whether a value would have to be awaited first. */
function isPromise(value: object): boolean {
  return "then" in value && typeof value.then === "function";
}

/** Whether a value names parameters: an object that is no value itself. */
export function isRecord(value: unknown): value is Readonly<Record<string, Param>> {
  return Object.prototype.toString.call(value) === "[object Object]";
}
