/** Stands for a byte that is not UTF-8; a lone surrogate can not come from anywhere else. */
export const INVALID_BYTE = "\udfff";

/** Text from bytes, or undefined when they are not UTF-8. */
export function decodeStrict(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Text from bytes in which every byte that is not UTF-8 becomes `replacement`, as Go does it. */
export function decodeLossy(bytes: Uint8Array, replacement: string): string {
  const strict = decodeStrict(bytes);
  if (strict !== undefined) return strict;
  let text = "";
  for (let i = 0; i < bytes.length;) {
    const length = runeLength(bytes, i);
    const rune = length === 0 ? undefined : decodeStrict(bytes.subarray(i, i + length));
    text += rune ?? replacement;
    i += rune === undefined ? 1 : length;
  }
  return text;
}

/** How many bytes the character at `i` should have by its first byte; 0 when none starts there. */
function runeLength(bytes: Uint8Array, i: number): number {
  const first = bytes[i] ?? 0xff;
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

const BLANKS = "[\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+";
const OUTER_BLANKS = new RegExp(`^${BLANKS}|${BLANKS}$`, "g");

/** Removes the white space at both ends, by Go's notion of it: no U+FEFF, but U+0085. */
export function goTrim(text: string): string {
  return text.replace(OUTER_BLANKS, "");
}
