import { isUrl, unknownOption } from "../options.ts";
import type { Credentials } from "../transport/credentials.ts";
import { nodeOf, parseHttp, shownUrl } from "../transport/address.ts";

/** Where a client connects by default. */
export const DEFAULT_URL = "http://localhost:4001";

/** What a URL says. */
export interface ParsedUrl {
  /** The base that paths are appended to. */
  readonly node: string;
  /** The user, if one is named. */
  readonly credentials: Credentials | undefined;
  /** What its query string says, which is not checked yet. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** What a URL's query string may say, and how it is read. */
const URL_OPTIONS = new Map<string, (value: string, name: string) => unknown>(Object.entries({
  level: (value: string) => value,
  integers: (value: string) => value,
  rows: (value: string) => value,
  timeout: readNumber,
  freshness: readNumber,
  retries: readNumber,
  maxResponseSize: readNumber,
  freshnessStrict: readFlag,
  discover: readFlag,
  exactlyOnce: readFlag,
  coalesce: readFlag,
}));

/** Whether a value says where to connect, and not how: text, a URL or a list. */
export function isTarget(value: unknown): value is string | URL | readonly (string | URL)[] {
  return typeof value === "string" || isUrl(value) || Array.isArray(value);
}

/**
 * Reads one URL or several.
 *
 * @throws {TypeError} If one has the wrong form, or they differ in what holds for all.
 */
export function readUrls(
  source: string | URL | readonly (string | URL)[],
): Omit<ParsedUrl, "node"> & { readonly nodes: readonly string[] } {
  const list = typeof source === "string" || isUrl(source) ? [source] : [...source];
  const [first, ...rest] = list.map(readUrl);
  if (first === undefined) throw new TypeError("Cannot connect as the list of URLs is empty");
  const urls = [first, ...rest] as const;
  return {
    nodes: [...new Set(urls.map(({ node }) => node))],
    credentials: same(urls, "credentials"),
    options: same(urls, "options"),
  };
}

function readUrl(given: string | URL): ParsedUrl {
  const text = isUrl(given) ? given.href : given;
  const url = parseHttp(text);
  // The URL would end in the middle of the password.
  const cut = url === undefined ? /^https?:\/\/.*[#?/\\].*@/is : /@/;
  if (cut.test(url === undefined ? text : url.pathname + url.search + url.hash)) {
    throw new TypeError(
      `Cannot connect to ${
        shownUrl(text)
      } as there is a #, ? or / before an @: percent-encode those of the user name and password, ` +
        "as %23, %3F and %2F",
    );
  }
  if (url === undefined) {
    throw new TypeError(
      `Cannot connect to ${
        shownUrl(text)
      } as it is not an http:// or https:// URL, such as ${DEFAULT_URL}`,
    );
  }
  if (url.hash !== "") {
    throw new TypeError(
      `Cannot connect to ${
        shownUrl(text)
      } as there is a # behind the host: leave out what it begins`,
    );
  }
  const options: Record<string, unknown> = {};
  for (const [name, value] of url.searchParams) {
    const read = URL_OPTIONS.get(name);
    if (read === undefined) throw unknownOption(name, [...URL_OPTIONS.keys()], "option of a URL");
    options[name] = read(value, name);
  }
  const credentials = url.username === "" && url.password === ""
    ? undefined
    : { username: decode(url.username), password: decode(url.password) };
  return { node: nodeOf(url), credentials, options };
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

/** What the URLs say in common: one client has one user and one set of options. */
function same<K extends "credentials" | "options">(
  [first, ...rest]: readonly [ParsedUrl, ...ParsedUrl[]],
  key: K,
): ParsedUrl[K] {
  const expected = JSON.stringify(first[key]);
  if (rest.some((url) => JSON.stringify(url[key]) !== expected)) {
    throw new TypeError(
      `Cannot connect as the URLs differ in their ${key}: give them once, as options`,
    );
  }
  return first[key];
}

/** Text that is no number stays text, which its check refuses. */
function readNumber(value: string): number | string {
  return value.trim() === "" || Number.isNaN(Number(value)) ? value : Number(value);
}

function readFlag(value: string, name: string): boolean {
  if (value === "" || value === "true" || value === "1") return true;
  if (value === "false" || value === "0") return false;
  throw new TypeError(
    `Cannot read the URL's flag ${name} as it must be true or false: current value is ${value}`,
  );
}
