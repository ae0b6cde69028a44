import { InterfaceError } from "../errors.ts";
import { isUrl, kindOf } from "../options.ts";
import { causeOf, reasonOf } from "../reason.ts";

/** Rewrites an address that the cluster advertises; `undefined` leaves the node out. */
export type MapNode = (apiUrl: string) => string | URL | undefined;

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

/**
 * The way in for every address that is not configured: of `/nodes`, of a redirect, of `mapNode`. Only the scheme that was
 * configured passes, so that no node can have the credentials sent by another; with both of them it is https.
 */
export class Gate {
  readonly #configured: readonly string[];
  readonly #mapNode: MapNode | undefined;
  readonly #scheme: string;

  /** @param configured At least one base URL: these pass as they are. */
  constructor(configured: readonly string[], mapNode?: MapNode) {
    this.#configured = configured;
    this.#mapNode = mapNode;
    this.#scheme = configured.some((node) => node.startsWith("https:")) ? "https:" : "http:";
  }

  /**
   * The node at an address that another node named, or `undefined` if it is not to be asked.
   *
   * @throws {InterfaceError} If `mapNode` throws, or answers what is no address.
   */
  admit(address: string): string | undefined {
    const named = plain(address);
    const node = this.#mapNode === undefined ? named : this.#mapped(named ?? address);
    const passes = node?.startsWith(this.#scheme) || this.#configured.includes(node!);
    return passes ? node : undefined;
  }

  #mapped(address: string): string | undefined {
    const answer = answerOf(this.#mapNode!, address);
    const node = plain(answer);
    if (answer === undefined || node !== undefined) return node;
    // One that is a promise may reject, which nobody else would notice.
    if (answer instanceof Promise) answer.catch(() => {});
    const said = typeof answer === "string" || isUrl(answer) ? shownUrl(answer) : kindOf(answer);
    throw new InterfaceError(
      `Cannot use ${said}, which \`mapNode\` answered for ${shownUrl(address)}: it must be ` +
        "undefined or an http:// or https:// URL without a user, a query and a #",
    );
  }
}

function answerOf(mapNode: MapNode, address: string): unknown {
  try {
    return mapNode(address);
  } catch (error) {
    const cause = causeOf(error);
    throw new InterfaceError(
      `Cannot use the address ${shownUrl(address)} as \`mapNode\` threw: ${reasonOf(cause)}`,
      { cause },
    );
  }
}

/** The node at an address that says where it is, and nothing else. */
function plain(address: unknown): string | undefined {
  const url = parseHttp(address);
  if (url === undefined || url.username + url.password + url.search + url.hash !== "") return;
  return nodeOf(url);
}
