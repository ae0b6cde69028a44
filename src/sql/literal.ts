/** Two hexadecimal digits for each byte value. */
const hexPairs: readonly string[] = Array.from(
  { length: 256 },
  (_, byte) => byte.toString(16).padStart(2, "0"),
);

/**
 * Text or bytes as SQL that evaluates to them.
 *
 * @example
 * ```ts
 * import { literal } from "./literal.ts";
 * literal("it's"); // "'it''s'"
 * literal(new Uint8Array([1, 255])); // "x'01ff'"
 * ```
 */
export function literal(value: string | Uint8Array): string {
  return typeof value === "string" ? textLiteral(value) : blobLiteral(value);
}

/** The bytes behind a buffer or a view of one; not a copy. */
export function bytesOf(value: ArrayBuffer | ArrayBufferView): Uint8Array {
  return ArrayBuffer.isView(value)
    ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
    : new Uint8Array(value);
}

/** The bytes of a literal such as `x'01ff'`. */
export function bytesIn(blob: string): Uint8Array {
  const pairs = blob.slice(2, -1).match(/../g) ?? [];
  return Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16));
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
