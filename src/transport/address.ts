import { isUrl } from "../options.ts";

/** A URL that `fetch` takes, or `undefined`. */
export function parseHttp(value: unknown): URL | undefined {
  const text = isUrl(value) ? value.href : value;
  if (typeof text !== "string" || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  return /^https?:$/.test(url.protocol) ? url : undefined;
}

/** Turns a URL into the base that paths are appended to: no credentials, no query, no slash at the end. */
export function nodeOf(url: URL): string {
  return url.origin + url.pathname.replace(/\/+$/, "");
}

/** The path of a request without its query string. */
export function endpointOf(path: string): string {
  const end = path.indexOf("?");
  return end < 0 ? path : path.slice(0, end);
}

/** What stands behind the user and has the form of an address: without an @ in front, a password has not. */
const ADDRESS = /^(?:[\w.-]*|\[[\da-f:.]*\])(?::\d*)?(?:\/(?!\/)[\w./~-]*)?(?:\?[\w=&.-]*)?$/i;

/** What was given as a URL, in a message: a password must not show up there, however broken the URL is. */
export function shownUrl(given: unknown): string {
  const text = String(given);
  const scheme = /^(?:[a-z]+:)?\/\//i.exec(text)?.[0] ?? "";
  const at = text.lastIndexOf("@") + 1;
  const address = text.slice(at || scheme.length);
  // Elsewhere a token stands in the query.
  const shown = ADDRESS.test(address) ? address.replace(/=[^&]*/g, "=…") : "…";
  return JSON.stringify(scheme + (at ? "***@" : "") + shown);
}
