import { Agent as HttpAgent, type ClientRequest } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { createSecureContext } from "node:tls";
import type { Duplex } from "node:stream";
import { type NodeFetchOptions, readNodeOptions } from "./options.ts";

/** The connections of one {@linkcode nodeFetch}. */
export interface Agents {
  /** For `http:`. */
  readonly http: HttpAgent;
  /** For `https:`. */
  readonly https: HttpsAgent;
}

class OnceHttpAgent extends HttpAgent {
  override reuseSocket(socket: Duplex, request: ClientRequest): void {
    super.reuseSocket(socket, request);
    sendOnce(request);
  }
}

class OnceHttpsAgent extends HttpsAgent {
  override reuseSocket(socket: Duplex, request: ClientRequest): void {
    super.reuseSocket(socket, request);
    sendOnce(request);
  }
}

/** Deno sends a request again by itself when a connection that it knows to be reused dies without an answer. */
function sendOnce(request: ClientRequest): void {
  request.reusedSocket = false;
}

/**
 * Agents that keep connections open; nothing connects yet.
 *
 * @throws {TypeError} If an option has the wrong form, or the certificate and the key do not fit together.
 * @throws {RangeError} If `maxSockets` is out of range.
 */
export function makeAgents(options: NodeFetchOptions | undefined): Agents {
  const { maxSockets = Infinity, ...tls } = readNodeOptions(options);
  try {
    createSecureContext(tls);
  } catch (cause) {
    throw new TypeError("Cannot use `ca`, `cert` and `key`, as they are refused", { cause });
  }
  const shared = { keepAlive: true, maxSockets };
  return {
    http: new OnceHttpAgent(shared),
    https: new OnceHttpsAgent({ ...shared, ...tls }),
  };
}
