import { InterfaceError } from "../errors.ts";
import { isUrl, kindOf } from "../options.ts";
import { causeOf, reasonOf } from "../reason.ts";
import { nodeOf, parseHttp, shownUrl } from "./address.ts";

/** Rewrites an address that the cluster advertises; `undefined` leaves the node out. */
export type MapNode = (apiUrl: string) => string | URL | undefined;

/**
 * The way in for every address that is not configured: of `/nodes`, of a redirect, of `mapNode`. Only the scheme that was
 * configured passes, so that no node can have the credentials sent by another; with both of them it is https.
 */
export class AddressFilter {
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
    const named = bareNode(address);
    const node = this.#mapNode === undefined ? named : mapped(this.#mapNode, named ?? address);
    if (node === undefined) return undefined;
    const passes = node.startsWith(this.#scheme) || this.#configured.includes(node);
    return passes ? node : undefined;
  }
}

function mapped(mapNode: MapNode, address: string): string | undefined {
  const answer = answerOf(mapNode, address);
  const node = bareNode(answer);
  if (answer === undefined || node !== undefined) return node;
  // One that is a promise may reject, which nobody else would notice.
  if (answer instanceof Promise) answer.catch(() => {});
  const said = typeof answer === "string" || isUrl(answer) ? shownUrl(answer) : kindOf(answer);
  throw new InterfaceError(
    `Cannot use ${said}, which \`mapNode\` answered for ${shownUrl(address)}: it must be ` +
      "undefined or an http:// or https:// URL without a user, a query and a #",
  );
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
function bareNode(address: unknown): string | undefined {
  const url = parseHttp(address);
  if (url === undefined || url.username + url.password + url.search + url.hash !== "") return;
  return nodeOf(url);
}
