/** Codes of Node and Bun that mean the connection was never made. */
const CONNECT_CODES: ReadonlySet<unknown> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/**
 * Whether a rejection of `fetch` proves that no connection was made, so that nothing can have been applied.
 * Only what a runtime says without doubt counts: a code of Node or Bun, or Deno's own name of the phase.
 * "fetch failed" alone may be a reset after the request was sent (rqlite-api F5).
 */
export function neverSent(error: unknown, depth = 0): boolean {
  if (!(error instanceof Error) || depth > 4) return false;
  const { code, errors, cause } = error as Error & { code?: unknown; errors?: unknown };
  if (CONNECT_CODES.has(code)) return true;
  // Deno's name for a permission that the program was not given.
  if (error.name === "NotCapable") return true;
  // Deno has no code; its HTTP client names the phase: Connect, SendRequest, …
  if (/: client error \(Connect\)/.test(error.message)) return true;
  if (Array.isArray(errors) && errors.length > 0) {
    return errors.every((inner) => neverSent(inner, depth + 1));
  }
  return neverSent(cause, depth + 1);
}
