import { QUERY } from "../calls/checks.ts";
import type { QueryOptions } from "../calls/executor.ts";
import type { Interceptor } from "../calls/interceptor.ts";
import { DEFAULTS, type ResolvedOptions, resolveSettings } from "../calls/settings.ts";
import {
  type Check,
  type Checks,
  isBoolean,
  isCount,
  isFunction,
  isRecord,
  isText,
  numeric,
  readOptions,
  refused,
} from "../options.ts";
import { TRANSACTION } from "../transaction/options.ts";
import type { TransactionOptions } from "../transaction/transaction.ts";
import type { Credentials } from "../transport/credentials.ts";
import type { RequestEvent } from "../transport/transport.ts";
import { DEFAULT_URL, isTarget, readUrls } from "./connect_url.ts";

/**
 * What `connect` takes. Those that a call has, too, are its defaults: what a call says wins.
 *
 * @example
 * ```ts
 * import { connect, type ConnectOptions } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 *
 * const options: ConnectOptions = { timeout: 5_000, integers: "bigint", transaction: { retries: 3 } };
 * const db = connect({ ...embedded(), ...options });
 * console.log(await db.value("SELECT 1")); // 1n
 * await db.close();
 * ```
 */
export interface ConnectOptions extends QueryOptions {
  /** One URL or several, in place of the first argument. @default {"http://localhost:4001"} */
  url?: string | URL | readonly (string | URL)[] | undefined;
  /** The user; in place of the one in the URL. */
  username?: string | undefined;
  /** The password; in place of the one in the URL. It is in no URL, error or event afterwards. */
  password?: string | undefined;
  /** Asked per request, and once more after a 401; concurrent calls share one answer. */
  credentials?: (() => Promise<{ username: string; password: string }>) | undefined;
  /** Sent with every request. */
  headers?: Record<string, string> | undefined;
  /**
   * Any fetch-shaped function: a proxy, client certificates, the embedded engine. One that hands a write on to Deno's own
   * `fetch` makes its body a Blob, as Deno sends text again by itself where a connection breaks.
   */
  fetch?: typeof fetch | undefined;
  /** Learn the cluster's other nodes from `/nodes`, behind the calls: none waits for it. @default {false} */
  discover?: boolean | undefined;
  /**
   * Rewrites an address that the cluster advertises, for nodes behind NAT or in containers; `undefined` leaves the node
   * out. So is one whose scheme, after this, is not that of `url`. Where it throws or answers what is no URL, the call that
   * heard the address fails with an `InterfaceError`.
   */
  mapNode?: ((apiUrl: string) => string | URL | undefined) | undefined;
  /**
   * Attempts after the first, for what is safe to repeat, as far as the client's budget of them goes. While the cluster
   * has no leader, a client that may repeat more than once looks for one about every tenth of a second, for all its calls;
   * that counts only against the budget. @default {3}
   */
  retries?: number | undefined;
  /**
   * How long an answer may be, in bytes of its JSON after decompression: one that is longer is not read to its end, and is
   * an `OperationalError` with the code `ERR_TOO_LARGE`. No text of an engine holds more than 536,870,888.
   * @default {134217728}
   */
  maxResponseSize?: number | undefined;
  /**
   * Makes every write a commit with an id: a lost answer is resolved, and a copy changes nothing. An account that may not
   * make the table for it, `_rqlite_commit`, writes without. @default {true}
   */
  exactlyOnce?: boolean | undefined;
  /**
   * Lets servers whose SQL parser overlooks a RETURNING clause answer its rows, by sending a statement that does
   * nothing in front of it. @default {true}
   */
  returningRewrite?: boolean | undefined;
  /** Called after each attempt. What it throws is ignored. */
  onRequest?: ((event: RequestEvent) => void) | undefined;
  /**
   * Layers around the calls of the client and of its transactions, the outermost first; see {@linkcode Interceptor}.
   *
   * @default {[]}
   */
  interceptors?: readonly Interceptor[] | undefined;
  /** Defaults of transactions. */
  transaction?: TransactionOptions | undefined;
  /** Called once by `close()`: the client then owns what stands behind `fetch`, such as the embedded engine. */
  close?: (() => void) | undefined;
}

/** Headers of the connection: `fetch` refuses them on some engines, and sends a broken request on others. */
const OF_CONNECTION =
  /^(?:(?:content-length|expect|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade):|connection:(?!(?:close|keep-alive)$))/i;

const isHeaders: Check = (headers, name) => {
  if (!isRecord(headers)) {
    throw refused(name, "an object of texts, as Object.fromEntries() makes of Headers", headers);
  }
  for (const [header, value] of Object.entries(headers as Record<string, string>)) {
    // What is no name may be the whole line.
    const shown = /^[\w-]*$/.test(header) ? JSON.stringify(header) : "…";
    isText(value, `headers[${shown}]`);
    if (OF_CONNECTION.test(`${header}:${value}`)) {
      throw new TypeError(
        `Cannot send the header ${shown} as it belongs to the connection: leave it out`,
      );
    }
    if (isSendable(header, value)) continue;
    throw new TypeError(
      `Cannot send the header ${shown} as HTTP does not allow its name or its value: ` +
        "both are one line without control characters, and the name has no blanks",
    );
  }
};

/** Whether every engine sends it: `Headers` takes control characters, which `fetch` refuses later, or sends. */
function isSendable(name: string, value: string): boolean {
  try {
    return !/[^\t -~\x80-\xff]/.test(new Headers([[name, value]]).get(name) ?? "");
  } catch {
    // What the engine says quotes the value.
    return false;
  }
}

/** How many characters V8 puts into one text. */
const LONGEST_TEXT = 2 ** 29 - 24;

const isInterceptors: Check = (list, name) => {
  const whole = Array.isArray(list) && list.every((one) => typeof one === "function");
  if (!whole) throw refused(name, "a list of functions", list);
};

const isUrls: Check = (url, name) => {
  if (!isTarget(url)) throw refused(name, "a URL or a list of URLs", url);
};

/** How each of {@linkcode ConnectOptions} is checked. */
export const CONNECT: Checks<ConnectOptions> = {
  url: isUrls,
  username: isText,
  password: isText,
  credentials: isFunction,
  ...QUERY,
  headers: isHeaders,
  fetch: isFunction,
  discover: isBoolean,
  mapNode: isFunction,
  retries: isCount,
  maxResponseSize: numeric(
    `a number of bytes from 1 to ${LONGEST_TEXT}`,
    (n) => Number.isInteger(n) && n > 0 && n <= LONGEST_TEXT,
  ),
  exactlyOnce: isBoolean,
  returningRewrite: isBoolean,
  onRequest: isFunction,
  interceptors: isInterceptors,
  transaction: (value, name) =>
    void readOptions(value as TransactionOptions, TRANSACTION, `\`${name}\``),
  close: isFunction,
};

/**
 * The two arguments of `connect` as one object that holds what was given.
 *
 * @throws {TypeError|RangeError} If one has the wrong form, or an option is unknown; the message names it.
 */
export function readTarget<O extends ConnectOptions>(
  target: string | URL | readonly (string | URL)[] | O | undefined,
  options: O | undefined,
  checks: Checks<NoInfer<O>>,
): O {
  const given = readOptions(options, checks, "the second argument");
  if (!isTarget(target)) {
    return { ...readOptions(target, checks, "the first argument, which is no URL,"), ...given };
  }
  if (given.url === undefined) return { ...given, url: target };
  throw new TypeError("Cannot use `url` beside a URL as the first argument: give one of them");
}

/**
 * Fills in the defaults of what {@linkcode readTarget} answers.
 *
 * @throws {TypeError} If a URL has the wrong form, or two options exclude each other.
 */
export function resolveOptions(given: ConnectOptions): ResolvedOptions {
  const { nodes, credentials, options } = readUrls(given.url ?? DEFAULT_URL);
  const merged = { ...readOptions<ConnectOptions>(options, CONNECT), ...given };
  return {
    nodes,
    credentials: credentialsOf(merged, credentials),
    // In lower case, so that those of the protocol replace them.
    headers: Object.fromEntries(new Headers(merged.headers)),
    fetch: merged.fetch,
    discover: merged.discover ?? false,
    mapNode: merged.mapNode,
    retries: merged.retries ?? 3,
    maxResponseSize: merged.maxResponseSize ?? 2 ** 27,
    returningRewrite: merged.returningRewrite ?? true,
    exactlyOnce: merged.exactlyOnce ?? true,
    onRequest: merged.onRequest,
    interceptors: merged.interceptors?.length ? merged.interceptors : undefined,
    close: merged.close,
    settings: resolveSettings(DEFAULTS, merged),
  };
}

function credentialsOf(
  { username, password, credentials }: ConnectOptions,
  inUrl: Credentials | undefined,
): ResolvedOptions["credentials"] {
  if (credentials !== undefined) {
    if (username === undefined && password === undefined && inUrl === undefined) return credentials;
    throw new TypeError("Cannot use `credentials` together with a username or a password");
  }
  if (username === undefined && password === undefined) return inUrl;
  return {
    username: username ?? inUrl?.username ?? "",
    password: password ?? inUrl?.password ?? "",
  };
}
