import type { Param } from "./value.ts";

const MAX_INTEGER = 2 ** 63;

/** Two hexadecimal digits for each byte value. */
const hexPairs: readonly string[] = Array.from(
  { length: 256 },
  (_, byte) => byte.toString(16).padStart(2, "0"),
);

/**
 * A value as SQL text that evaluates to it: same type, same value.
 *
 * @param value A value that {@linkcode prepare} accepts.
 * @throws {RangeError} For NaN and infinities, which SQL cannot write.
 *
 * @example
 * ```ts
 * import { literal } from "./literal.ts";
 * literal("it's"); // "'it''s'"
 * literal(new Uint8Array([1, 255])); // "x'01ff'"
 * ```
 */
export function literal(value: Param): string {
  if (value === null) return "NULL";
  switch (typeof value) {
    case "string":
      return textLiteral(value);
    case "number":
      return numberLiteral(value);
    case "bigint":
      return String(value);
    case "boolean":
      return value ? "1" : "0";
  }
  return value instanceof Date ? textLiteral(value.toISOString()) : blobLiteral(bytesOf(value));
}

/** The bytes behind a buffer or a view of one; not a copy. */
export function bytesOf(value: ArrayBuffer | ArrayBufferView): Uint8Array {
  return ArrayBuffer.isView(value)
    ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
    : new Uint8Array(value);
}

/** Text in single quotes; with a NUL character, at which SQL text would end, by its bytes. */
function textLiteral(text: string): string {
  if (!text.includes("\0")) return `'${text.replaceAll("'", "''")}'`;
  return `CAST(${blobLiteral(new TextEncoder().encode(text))} AS TEXT)`;
}

function blobLiteral(bytes: Uint8Array): string {
  let hex = "";
  for (let i = 0; i < bytes.length; i++) hex += hexPairs[bytes[i]!]!;
  return `x'${hex}'`;
}

function numberLiteral(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError(`Cannot write ${value} in SQL`);
  if (Object.is(value, -0)) return "-0.0";
  if (!Number.isInteger(value)) return String(value);
  if (value >= -MAX_INTEGER && value < MAX_INTEGER) return String(BigInt(value));
  const text = String(value);
  return text.includes("e") ? text : `${text}.0`;
}
