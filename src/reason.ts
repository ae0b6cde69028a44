/** What runtimes wrap around the words that matter, and OpenSSL's own form. */
const FRILLS: readonly (readonly [RegExp, string])[] = [
  [/^.*: client error \(\w+\): /s, ""],
  [/ For more information, pass `verbose: true` in the second argument to fetch\(\)$/, ""],
  [/^.*error:[0-9A-F]+:SSL routines:[^:]*:([^:]+).*$/is, "$1"],
];

/** Says that the other side does not speak TLS, or not this one's. */
const NO_TLS = /wrong[ _]version[ _]number|InvalidContentType/i;

/** What went wrong in the words of the innermost error: runtimes say no more than "fetch failed" outside. */
export function reasonOf(error: unknown): string {
  try {
    const reasons = [...new Set(innermost(error).map(wordsOf))].filter((words) => words !== "");
    return reasons.join(", ") || "no reason was given";
  } catch {
    return "its reason cannot be read";
  }
}

/** What stands in a URL in front of its host; in paths of modules an @ is something else. */
const USER = /(?<!file:)\/\/.*@/gs;

/** A text of somebody else, without the users of the URLs that it quotes. */
export function withoutUsers(text: string): string {
  return text.replace(USER, "//***@");
}

/** An error as the cause of another one; where it quotes a URL with a user, one in its place that does not. */
export function causeOf(error: unknown): unknown {
  try {
    if (!isTelling(error)) return error;
  } catch {
    // What cannot be read may hold anything.
  }
  return new Error(reasonOf(error));
}

function isTelling(value: unknown, depth = 0): boolean {
  if (typeof value === "string" || value instanceof URL) return String(value).search(USER) >= 0;
  const told = Object(value) as Record<string, unknown>;
  if (!("message" in told || Array.isArray(value)) || depth > 8) return false;
  // Engines attach the URL that they could not read. The stack has paths, and the message, which a getter may give.
  return ["message", ...Object.getOwnPropertyNames(told)].some((name) =>
    name !== "stack" && isTelling(told[name], depth + 1)
  );
}

function innermost(error: unknown, depth = 0): unknown[] {
  const { cause, errors } = (error ?? {}) as { cause?: unknown; errors?: unknown };
  const inner = Array.isArray(errors) && errors.length > 0 ? errors : cause == null ? [] : [cause];
  if (inner.length === 0 || depth > 8) return [error];
  return inner.flatMap((one) => innermost(one, depth + 1));
}

function wordsOf(error: unknown): string {
  const { message, code, name } = Object(error) as Record<string, unknown>;
  let words = String(message || code || (error instanceof Error ? name : error)).trim();
  for (const [frill, rest] of FRILLS) words = words.replace(frill, rest);
  words = withoutUsers(words);
  return NO_TLS.test(words) ? `${words}: does it speak TLS on this port?` : words;
}
