import type { Credentials } from "../transport/credentials.ts";
import type { RequestEvent } from "../transport/http.ts";
import { type MapNode, nodeOf } from "../transport/nodes.ts";
import type { IntegerMode } from "../sql/value.ts";
import type { BatchOptions, Level, QueryOptions } from "./executor.ts";

/** What {@linkcode connect} takes; per-call options win over these. */
export interface ClientOptions extends QueryOptions {
  /** One URL or several, in place of the first argument. @default {"http://localhost:4001"} */
  url?: string | readonly string[];
  /** The user; in place of the one in the URL. */
  username?: string;
  /** The password; in place of the one in the URL. It is in no URL, error or event afterwards. */
  password?: string;
  /** Asked per request, and once more after a 401; concurrent calls share one answer. */
  credentials?: () => Promise<{ username: string; password: string }>;
  /** Sent with every request. */
  headers?: Record<string, string>;
  /** Any fetch-shaped function: a proxy, client certificates, the embedded engine. */
  fetch?: typeof fetch;
  /** Learn the cluster's other nodes from `/nodes`. @default {false} */
  discover?: boolean;
  /** Rewrites an address that the cluster advertises, for nodes behind NAT or in containers; `undefined` leaves the node out. */
  mapNode?: (apiUrl: string) => string | undefined;
  /** Attempts after the first, for what is safe to repeat. @default {3} */
  retries?: number;
  /**
   * Makes every write a commit with an id: a lost answer is resolved, and a copy changes nothing. An account that may not
   * make the table for it, `_rqlite_commit`, writes without. @default {true}
   */
  exactlyOnce?: boolean;
  /**
   * Lets servers whose SQL parser overlooks a RETURNING clause answer its rows, by sending a statement that does
   * nothing in front of it. @default {true}
   */
  returningRewrite?: boolean;
  /** Called after each attempt. What it throws is ignored. */
  onRequest?: (event: RequestEvent) => void;
  /** Called once by `close()`: the client then owns what stands behind `fetch`, such as the embedded engine. */
  close?: () => void;
}

/** What a call is run with: every option present. */
export interface Settings {
  readonly signal: AbortSignal | undefined;
  readonly timeout: number;
  readonly integers: IntegerMode;
  readonly level: Level;
  readonly freshness: number | undefined;
  readonly freshnessStrict: boolean;
  readonly rows: "object" | "array";
}

/** {@linkcode ClientOptions} with every default filled in. */
export interface ResolvedOptions {
  readonly nodes: readonly string[];
  readonly credentials: Credentials | (() => Promise<Credentials>) | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly fetch: typeof fetch;
  readonly discover: boolean;
  readonly mapNode: MapNode | undefined;
  readonly retries: number;
  readonly returningRewrite: boolean;
  readonly exactlyOnce: boolean;
  readonly onRequest: ((event: RequestEvent) => void) | undefined;
  readonly close: (() => void) | undefined;
  readonly settings: Settings;
}

const DEFAULT_URL = "http://localhost:4001";

const DEFAULTS: Settings = {
  signal: undefined,
  timeout: 30_000,
  integers: "number",
  level: "linearizable",
  freshness: undefined,
  freshnessStrict: false,
  rows: "object",
};

const CHOICES = {
  level: ["none", "weak", "linearizable", "strong", "auto"],
  integers: ["number", "bigint", "string", "auto"],
  rows: ["object", "array"],
} as const;

/** What a URL's query string may say, and how it is read. */
const URL_OPTIONS: Record<string, (value: string) => unknown> = {
  level: (value) => value,
  integers: (value) => value,
  rows: (value) => value,
  timeout: Number,
  freshness: Number,
  retries: Number,
  freshnessStrict: readFlag,
  discover: readFlag,
  exactlyOnce: readFlag,
};

/**
 * Reads what the user passed to `connect`, once.
 *
 * @throws {TypeError} If a URL or an option has the wrong form; the message names it.
 * @throws {RangeError} If a number is out of range.
 */
export function resolveOptions(
  target: string | readonly string[] | ClientOptions | undefined,
  options: ClientOptions = {},
): ResolvedOptions {
  const isOptions = typeof target === "object" && !Array.isArray(target);
  const given: ClientOptions = isOptions
    ? { ...(target as ClientOptions), ...options }
    : { ...options };
  const source = (isOptions ? undefined : target as string | readonly string[] | undefined) ??
    given.url ??
    DEFAULT_URL;
  const urls = (typeof source === "string" ? [source] : [...source]).map(readUrl);
  if (urls.length === 0) throw new TypeError("Cannot connect as the list of URLs is empty");
  const merged: ClientOptions = { ...same(urls, "options"), ...withoutUndefined(given) };
  checkHeaders(merged.headers);
  check("retries", merged.retries, (n) => Number.isInteger(n) && n >= 0, "an integer from 0 on");
  return {
    nodes: urls.map(({ node }) => node),
    credentials: credentialsOf(merged, same(urls, "credentials")),
    // In lower case, so that those of the protocol replace them.
    headers: Object.fromEntries(new Headers(merged.headers)),
    fetch: merged.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    discover: merged.discover ?? false,
    mapNode: merged.mapNode,
    retries: merged.retries ?? 3,
    returningRewrite: merged.returningRewrite ?? true,
    exactlyOnce: flag("exactlyOnce", merged.exactlyOnce) ?? true,
    onRequest: merged.onRequest,
    close: merged.close,
    settings: resolveSettings(DEFAULTS, merged),
  };
}

/**
 * Settings of one call: its own options over the client's.
 *
 * @throws {TypeError} If an option has the wrong form; the message names it.
 * @throws {RangeError} If a number is out of range.
 */
export function resolveSettings(defaults: Settings, options: BatchOptions | undefined): Settings {
  if (options === undefined) return defaults;
  const { signal, timeout, integers, level, freshness, freshnessStrict, rows } = options;
  choose("level", level);
  choose("integers", integers);
  choose("rows", rows);
  check("timeout", timeout, (n) => n > 0, "a positive number of milliseconds");
  check(
    "freshness",
    freshness,
    (n) => n >= 0 && n !== Infinity,
    "a number of milliseconds from 0 on",
  );
  if (signal !== undefined && typeof signal.addEventListener !== "function") {
    throw new TypeError("Cannot use `signal` as it is not an AbortSignal");
  }
  const settings: Settings = {
    signal: signal ?? defaults.signal,
    timeout: timeout ?? defaults.timeout,
    integers: integers ?? defaults.integers,
    level: level ?? defaults.level,
    freshness: freshness ?? defaults.freshness,
    freshnessStrict: freshnessStrict ?? defaults.freshnessStrict,
    rows: rows ?? defaults.rows,
  };
  if (settings.freshnessStrict && settings.freshness === undefined) {
    throw new TypeError("Cannot use `freshnessStrict` without `freshness`");
  }
  return settings;
}

interface ParsedUrl {
  readonly node: string;
  readonly credentials: Credentials | undefined;
  readonly options: ClientOptions;
}

function readUrl(text: string): ParsedUrl {
  const url = typeof text === "string" && URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.hostname === "") {
    throw new TypeError(
      `Cannot connect to ${
        shown(text)
      } as it is not an http:// or https:// URL, such as ${DEFAULT_URL}`,
    );
  }
  if (/[@#]/.test(url.pathname + url.search + url.hash)) {
    throw new TypeError(
      `Cannot connect to ${
        shown(text)
      } as there is a # or @ behind the host: percent-encode those of the user name and password`,
    );
  }
  const options: Record<string, unknown> = {};
  for (const [key, value] of url.searchParams) {
    const read = Object.hasOwn(URL_OPTIONS, key) ? URL_OPTIONS[key] : undefined;
    if (read === undefined) {
      const known = Object.keys(URL_OPTIONS).join(", ");
      throw new TypeError(
        `Cannot connect as the URL's option ${key} is unknown: it may be one of ${known}`,
      );
    }
    options[key] = read(value);
  }
  const credentials = url.username === "" && url.password === ""
    ? undefined
    : { username: decode(url.username), password: decode(url.password) };
  return { node: nodeOf(url), credentials, options: options as ClientOptions };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new TypeError(
      "Cannot connect as the user name or password in the URL is not percent-encoded",
    );
  }
}

/** The password part must not show up in a message, however broken the URL is. */
function shown(text: unknown): string {
  return JSON.stringify(String(text).replace(/^(\w+:\/\/)?.*@/s, "$1***@"));
}

/** What the URLs say in common: one client has one user and one set of options. */
function same<K extends "credentials" | "options">(
  urls: readonly ParsedUrl[],
  key: K,
): ParsedUrl[K] {
  const [first, ...rest] = urls;
  const expected = JSON.stringify(first![key]);
  if (rest.some((url) => JSON.stringify(url[key]) !== expected)) {
    throw new TypeError(
      `Cannot connect as the URLs differ in their ${key}: give them once, as options`,
    );
  }
  return first![key];
}

function credentialsOf(
  { username, password, credentials }: ClientOptions,
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

/** Headers of the connection: `fetch` refuses them on some engines, and sends a broken request on others. */
const OF_CONNECTION =
  /^(?:content-length|expect|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade)$/i;

function checkHeaders(headers: Record<string, string> | undefined): void {
  for (const [name, value] of Object.entries(headers ?? {})) {
    if (OF_CONNECTION.test(name)) {
      throw new TypeError(
        `Cannot send the header ${
          JSON.stringify(name)
        } as it belongs to the connection: leave it out`,
      );
    }
    try {
      new Headers([[name, value]]);
    } catch (cause) {
      throw new TypeError(
        `Cannot send the header ${JSON.stringify(name)} as HTTP does not allow it`,
        { cause },
      );
    }
  }
}

function readFlag(value: string): boolean {
  if (value === "" || value === "true" || value === "1") return true;
  if (value === "false" || value === "0") return false;
  throw new TypeError(
    `Cannot read the URL's flag as it must be true or false: current value is ${value}`,
  );
}

function flag(name: string, value: unknown): boolean | undefined {
  if (value === undefined || typeof value === "boolean") return value;
  throw new TypeError(
    `Cannot use \`${name}\` as it must be a boolean: current value is ${String(value)}`,
  );
}

function choose(name: keyof typeof CHOICES, value: string | undefined): void {
  const choices: readonly string[] = CHOICES[name];
  if (value === undefined || choices.includes(value)) return;
  throw new TypeError(
    `Cannot use \`${name}\` as it must be one of ${choices.join(", ")}: current value is ${
      String(value)
    }`,
  );
}

function check(name: string, value: unknown, valid: (n: number) => boolean, wanted: string): void {
  if (value === undefined || (typeof value === "number" && valid(value))) return;
  throw new RangeError(
    `Cannot use \`${name}\` as it must be ${wanted}: current value is ${String(value)}`,
  );
}

function withoutUndefined(options: ClientOptions): ClientOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
