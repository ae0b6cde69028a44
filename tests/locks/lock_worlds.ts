import type { LockPlan } from "./make_lock.ts";

/** A kind of lock that processes can share, and the server that it needs. */
export interface LockWorld {
  readonly name: string;
  readonly skip: string | false;
  /** @param leaseDuration Milliseconds; the default of the lock without it. */
  readonly start: (leaseDuration?: number) => Promise<StartedLock>;
}

/** What processes share. */
export interface StartedLock {
  readonly plan: LockPlan;
  readonly stop: () => Promise<void>;
}

/** Every kind of lock between processes. */
export const LOCK_WORLDS: readonly LockWorld[] = [
  {
    name: "RqliteLock",
    skip: false,
    start: (leaseDuration) =>
      Promise.resolve({
        plan: { kind: "rqlite", ...(leaseDuration !== undefined && { leaseDuration }) },
        stop: () => Promise.resolve(),
      }),
  },
];
