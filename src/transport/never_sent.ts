/** What a rejection of `fetch` proves: nothing was sent; and "for good", that the same node will be refused again. */
export type NeverSent = "now" | "for good";

/** What this package's own `nodeFetch` and embedded engine say, and any other `fetch` may. */
const NOT_SENT = "ERR_NOT_SENT";

/** Why it was not, where that will not change: no handshake of TLS, a closed engine. */
const LASTING = /^(?:EPROTO|ERR_SSL_\w+|ERR_CLOSED)$/;

/** Codes of Node and Bun that mean the connection was never made. */
const CONNECT_CODES: ReadonlySet<unknown> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
  NOT_SENT,
]);

/** The calls of the system that come before a connection. */
const CONNECT_CALLS: ReadonlySet<unknown> = new Set(["connect", "getaddrinfo"]);

/**
 * Codes for what is refused before a byte of the request leaves: a certificate, by OpenSSL's names for Node, Bun and
 * Deno's `node:https`; a header, by Node's `fetch`. `EPROTO` and `ERR_SSL_…` are none of them: Bun says "handshake failed"
 * of a connection, too, that breaks behind the request.
 */
const REFUSED_CODES =
  /^(?:ERR_TLS_CERT_ALTNAME_INVALID|(?:DEPTH_ZERO_)?SELF_SIGNED_CERT(?:_IN_CHAIN)?|UNABLE_TO_(?:GET_ISSUER_CERT(?:_LOCALLY)?|GET_CRL|VERIFY_LEAF_SIGNATURE|DECRYPT_CERT_SIGNATURE|DECODE_ISSUER_PUBLIC_KEY)|CERT_(?:HAS_EXPIRED|NOT_YET_VALID|SIGNATURE_FAILURE|CHAIN_TOO_LONG|REVOKED|UNTRUSTED|REJECTED)|INVALID_(?:CA|PURPOSE)|PATH_LENGTH_EXCEEDED|HOSTNAME_MISMATCH|UND_ERR_(?:INVALID_ARG|NOT_SUPPORTED))$/;

/** The same in words, where there is no code: blocked ports in Deno and Node, Deno's TLS. */
const REFUSED_WORDS =
  /^(?:bad port|Fetch failed: Requests to port \d+ are blocked)$|: client error \(Connect\): (?:invalid peer certificate|received (?:corrupt message|fatal alert))/;

/** Deno's HTTP client names the phase: Connect, SendRequest, …; Node has one sentence for a broken handshake. */
const CONNECT_WORDS =
  /: client error \(Connect\)|^Client network socket disconnected before secure TLS connection was established$/;

/**
 * Whether a rejection of `fetch` proves that nothing was sent, so that nothing can have been applied. Only what a
 * runtime says without doubt counts: "fetch failed" alone may be a reset after the request was sent (rqlite-api F5).
 */
export function neverSent(error: unknown, depth = 0): NeverSent | undefined {
  if (!(error instanceof Error) || depth > 4) return undefined;
  const { code, syscall, errors, cause, name, message } = error as Error & Detail;
  // "NotCapable" is Deno's name for a permission that the program was not given.
  const lasts = code === NOT_SENT && LASTING.test(String((cause as Detail | undefined)?.code));
  if (
    lasts || REFUSED_CODES.test(String(code)) || REFUSED_WORDS.test(message) ||
    name === "NotCapable"
  ) return "for good";
  if (Array.isArray(errors) && errors.length > 0) {
    const all = errors.map((inner) => neverSent(inner, depth + 1));
    return all.includes(undefined) ? undefined : all.includes("now") ? "now" : "for good";
  }
  const inner = neverSent(cause, depth + 1);
  const here = CONNECT_CODES.has(code) || CONNECT_CALLS.has(syscall) || CONNECT_WORDS.test(message);
  return inner ?? (here ? "now" : undefined);
}

interface Detail {
  readonly code?: unknown;
  readonly syscall?: unknown;
  readonly errors?: unknown;
}
