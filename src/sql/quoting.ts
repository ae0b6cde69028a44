const DIGITS = "0123456789abcdef";

const DECODER = new TextDecoder();

/**
 * Text or bytes as SQL that evaluates to them.
 *
 * @example
 * ```ts
 * import { literal } from "./quoting.ts";
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

/** The bytes that hexadecimal digits stand for. */
export function bytesIn(hex: string): Uint8Array {
  const bytes = new Uint8Array(hex.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  }
  return bytes;
}

/** Text in single quotes; with a NUL character, at which SQL text would end, by its bytes. */
function textLiteral(text: string): string {
  if (!text.includes("\0")) return `'${text.replaceAll("'", "''")}'`;
  return `CAST(${blobLiteral(new TextEncoder().encode(text))} AS TEXT)`;
}

function blobLiteral(bytes: Uint8Array): string {
  // A text that is put together digit by digit costs many times more where there are millions of them.
  const hex = new Uint8Array(2 * bytes.length);
  let at = 0;
  for (const byte of bytes) {
    hex[at++] = DIGITS.charCodeAt(byte >> 4);
    hex[at++] = DIGITS.charCodeAt(byte & 15);
  }
  return `x'${DECODER.decode(hex)}'`;
}

/**
 * A quoted identifier.
 *
 * @throws {TypeError} If the name is empty or not text.
 * @throws {RangeError} If it holds a character that no identifier can.
 */
export function identifier(name: string): string {
  if (typeof name !== "string" || name === "") {
    throw new TypeError("Cannot quote an identifier as each part must be text that is not empty");
  }
  if (name.includes("\0") || !name.isWellFormed()) {
    throw new RangeError("Cannot quote an identifier that holds a NUL or half of a surrogate pair");
  }
  return quotedName(name);
}

/** The name of something that is there, in quotes: SQLite may take more for a name than {@linkcode identifier} does. */
export function quotedName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
