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

/**
 * What a `fetch` says of arguments that it does not take; some `fetch` around it gave them. Chromium, Node, Bun, Deno and
 * workerd. Words that `new URL()` or `new Headers()` say, too, are no proof: the answer may have been put into one.
 */
const REFUSED_ARGUMENTS =
  /^(?:Failed to execute 'fetch' on |Failed to parse URL from |Request cannot be constructed from a URL that |unknown scheme$|fetch\(\) URL is invalid$|protocol must be http:|Url scheme '.*' not supported$|Fetch API cannot load: |(?:fetch\(\) )?request with (?:a )?GET(?:\/| or )HEAD method cannot have )/i;

/** All that browsers say where they send nothing, and where a connection breaks. */
const BROWSER_WORDS =
  /^(?:Failed to fetch|NetworkError when attempting to fetch resource\.|Load failed)$/;

/** Ports that browsers never ask, by the Fetch standard. */
const BLOCKED_PORTS =
  ",1,7,9,11,13,15,17,19,20,21,22,23,25,37,42,43,53,69,77,79,87,95,101,102,103,104,109,110,111,113,115,117,119,123,135,137,139,143,161,179,389,427,465,512,513,514,515,526,530,531,532,540,548,554,556,563,587,601,636,989,990,993,995,1719,1720,1723,2049,3659,4045,4190,5060,5061,6000,6566,6665,6666,6667,6668,6669,6679,6697,10080,";

/** Deno's HTTP client names the phase: Connect, SendRequest, …; Node has one sentence for a broken handshake. */
const CONNECT_WORDS =
  /: client error \(Connect\)|^Client network socket disconnected before secure TLS connection was established$/;

/**
 * Whether a rejection of `fetch` proves that nothing was sent, so that nothing can have been applied. Only what a
 * runtime says without doubt counts: "fetch failed" alone may be a reset after the request was sent.
 *
 * @param node The node that was to be asked.
 */
export function neverSent(error: unknown, node: string, depth = 0): NeverSent | undefined {
  if (!(error instanceof Error) || depth > 4) return undefined;
  const { code, syscall, errors, cause, name, message } = error as Error & Detail;
  // "NotCapable" is Deno's name for a permission that the program was not given.
  const lasts = code === NOT_SENT && LASTING.test(String((cause as Detail | undefined)?.code));
  if (
    lasts || REFUSED_CODES.test(String(code)) || REFUSED_WORDS.test(message) ||
    REFUSED_ARGUMENTS.test(message) || blocked(message, node) ||
    name === "NotCapable"
  ) return "for good";
  if (Array.isArray(errors) && errors.length > 0) {
    const all = errors.map((inner) => neverSent(inner, node, depth + 1));
    return all.includes(undefined) ? undefined : all.includes("now") ? "now" : "for good";
  }
  const inner = neverSent(cause, node, depth + 1);
  const here = CONNECT_CODES.has(code) || CONNECT_CALLS.has(syscall) || CONNECT_WORDS.test(message);
  return inner ?? (here ? "now" : undefined);
}

interface Detail {
  readonly code?: unknown;
  readonly syscall?: unknown;
  readonly errors?: unknown;
}

/** Whether a browser refused the port. No other runtime has these words. */
function blocked(message: string, node: string): boolean {
  return BROWSER_WORDS.test(message) && BLOCKED_PORTS.includes(`,${new URL(node).port},`);
}
