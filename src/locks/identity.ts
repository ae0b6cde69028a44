import type { Executor } from "../calls/executor.ts";
import { hostOf } from "../calls/host.ts";
import type { AcquireOptions } from "./lock.ts";

/**
 * Answers the token of whoever holds a lock. Only locks have this of which two may be one though their places tell
 * nothing of that, such as two clients of one server.
 */
export const HOLDER: unique symbol = Symbol("holder");

/** A lock that may have it. */
export interface Held {
  /** The token of whoever holds it, if anybody does. */
  readonly [HOLDER]?: (options: AcquireOptions) => Promise<unknown>;
}

const NUMBERS = new WeakMap<object, number>();
let last = 0;

/** Tells an object from all others of this process. */
function numberOf(object: object): string {
  const number = NUMBERS.get(object) ?? ++last;
  NUMBERS.set(object, number);
  return `#${number}`;
}

/**
 * What a lock is, as text. The name comes before the place: only where two locks share a name does it matter how well
 * a process knows the places.
 *
 * @param place Where it is kept: an address that others know it by, too, or whatever object leads there.
 */
export function keyOf(kind: string, name: string, place: string | object): string {
  return JSON.stringify([kind, name, typeof place === "string" ? place : numberOf(place)]);
}

/** The database of a client: the addresses that it was given, and what only this process knows. */
export function databaseOf(client: Executor): string | object {
  const { nodes, fetch } = hostOf(client)?.options ?? {};
  if (nodes === undefined) return client;
  const addresses = [...new Set(nodes)].sort().join(" ");
  return fetch === undefined || fetch === globalThis.fetch
    ? addresses
    : `${addresses} ${numberOf(fetch)}`;
}
