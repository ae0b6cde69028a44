import type { Host } from "./backend.ts";

/** Where a client sends to, for what has to tell databases apart or to ask each node of one. */
export interface Origin {
  /** Base URLs, without credentials. */
  readonly nodes: readonly string[];
  /** A caller's own, which may lead anywhere. */
  readonly fetch: typeof fetch | undefined;
  /** What sends. */
  readonly host: Host;
}

const ORIGINS = new WeakMap<object, Origin>();

/** Remembers where a client sends to; answers the client. */
export function sendingTo<C extends object>(client: C, origin: Origin): C {
  ORIGINS.set(client, origin);
  return client;
}

/** Where it sends to; `undefined` of one that is not of `connect`. */
export function originOf(client: object): Origin | undefined {
  return ORIGINS.get(client);
}
