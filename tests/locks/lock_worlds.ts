import { REDIS_KINDS, type RedisServer, skipWithoutRedis, startRedis } from "../support/redis.ts";
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

/** A lock of a server whose memory may go. */
export interface RedisLockWorld extends LockWorld {
  readonly start: (
    leaseDuration?: number,
  ) => Promise<StartedLock & { readonly server: RedisServer }>;
}

const lease = (leaseDuration?: number): { leaseDuration?: number } =>
  leaseDuration === undefined ? {} : { leaseDuration };

/** Locks in redis-server and in valkey-server. */
export const REDIS_WORLDS: readonly RedisLockWorld[] = REDIS_KINDS.map((kind) => ({
  name: `RedisLock on ${kind}-server`,
  skip: skipWithoutRedis(kind),
  start: async (leaseDuration) => {
    const server = await startRedis(kind);
    const plan = { kind: "redis", port: server.port, ...lease(leaseDuration) } as const;
    return { server, plan, stop: () => server.stop() };
  },
}));

/** Every kind of lock between processes. */
export const LOCK_WORLDS: readonly LockWorld[] = [
  {
    name: "RqliteLock",
    skip: false,
    start: (leaseDuration) =>
      Promise.resolve({
        plan: { kind: "rqlite", ...lease(leaseDuration) },
        stop: () => Promise.resolve(),
      }),
  },
  ...REDIS_WORLDS,
];
