import { urlToHttpOptions } from "node:url";
import type { RequestOptions } from "node:http";

/** Where a request goes. */
export interface Target {
  /** Over TLS. */
  readonly secure: boolean;
  /** The same, as `node:http` takes it. */
  readonly options: RequestOptions;
}

/** How many addresses are kept in the form that they are needed in: that takes as long as much of the exchange. */
const MOST_KEPT = 100;

const kept: Map<string, Target> = new Map();

/**
 * Reads an address.
 *
 * @throws {TypeError} What `fetch` itself would refuse.
 */
export function targetOf(address: string): Target {
  const known = kept.get(address);
  if (known !== undefined) return known;
  const url = new URL(address);
  if (!/^https?:$/.test(url.protocol)) {
    throw new TypeError(`Cannot fetch ${url.protocol} as only http: and https: are served`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new TypeError("Cannot fetch a URL with a user name or a password: send a header instead");
  }
  const { protocol, hostname, port, path } = urlToHttpOptions(url);
  const options = { protocol, hostname, port, path };
  const target = { secure: protocol === "https:", options };
  if (kept.size >= MOST_KEPT) kept.clear();
  kept.set(address, target);
  return target;
}
