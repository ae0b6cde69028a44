const BLANKS = "[\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+";
const OUTER_BLANKS = new RegExp(`^${BLANKS}|${BLANKS}$`, "g");

/** Removes the white space at both ends, by Go's notion of it: no U+FEFF, but U+0085. */
export function goTrim(text: string): string {
  return text.replace(OUTER_BLANKS, "");
}
