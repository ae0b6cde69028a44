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
  return `"${name.replaceAll('"', '""')}"`;
}
