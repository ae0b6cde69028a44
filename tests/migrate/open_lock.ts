import type { Lock, LockHandle } from "../../src/locks/mod.ts";

const handle: LockHandle = {
  name: "open",
  token: "",
  held: true,
  signal: new AbortController().signal,
  throwIfLost: () => {},
  release: () => Promise.resolve(true),
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

/** A lock that excludes nobody. */
export const OPEN: Lock = { name: "open", acquire: () => Promise.resolve(handle) };
