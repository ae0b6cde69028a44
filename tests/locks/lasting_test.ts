// Locks that are taken for long, as by a leader.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { connect } from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import type { AcquireOptions, Lock } from "../../src/locks/mod.ts";
import { type RedisCommand, RedisLock } from "../../src/locks/redis.ts";
import { RqliteLock, type RqliteLockOptions } from "../../src/locks/rqlite.ts";

/**
 * Runs a test in a time of its own: whenever nothing is under way the next timer rings.
 *
 * @param busy Whether something is under way.
 * @param body Is told which waits were asked for.
 */
async function inOwnTime(
  busy: () => boolean,
  body: (waits: ReadonlySet<number>) => Promise<void>,
): Promise<void> {
  const { setTimeout, clearTimeout } = globalThis;
  const [now, date] = [performance.now, Date.now];
  const [steady, wall] = [performance.now(), Date.now()];
  const timers = new Map<number, { readonly due: number; readonly call: () => void }>();
  const waits = new Set<number>();
  // Far from the ids of timers that were set before, and may be cleared now.
  let [passed, last] = [0, 2 ** 31];
  performance.now = () => steady + passed;
  Date.now = () => wall + passed;
  globalThis.setTimeout = ((call: () => void, delay = 0) => {
    // Whoever lets others go first is under way.
    if (delay === 0) return setTimeout(call);
    waits.add(delay);
    timers.set(++last, { due: passed + delay, call });
    return last;
  }) as typeof setTimeout;
  globalThis.clearTimeout = (id) => {
    if (!timers.delete(id as number)) clearTimeout(id);
  };
  try {
    let over = false;
    const running = Promise.allSettled([body(waits)]);
    void running.then(() => over = true);
    while (!over) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      const [first] = [...timers].sort(([, one], [, two]) => one.due - two.due);
      if (busy() || first === undefined) continue;
      const [id, { due, call }] = first;
      timers.delete(id);
      passed = Math.max(passed, due);
      call();
    }
    const [result] = await running;
    if (result.status === "rejected") throw result.reason;
  } finally {
    Object.assign(globalThis, { setTimeout, clearTimeout });
    performance.now = now;
    Date.now = date;
  }
}

/** What a lock may be given. */
type Limits = Pick<RqliteLockOptions, "maxHoldTime" | "maxRetryDelay">;

/** Clients of one server of Redis that always has time. */
function fakeRedis(): () => RedisCommand {
  const owners = new Map<string, string>();
  return () => ([, script = "", , key = "", token = ""]) => {
    const taken = (owners.get(key) ?? token) === token;
    if (script.includes('"SET"')) {
      if (taken) owners.set(key, token);
      return Promise.resolve(taken ? [1, token] : [0, 1e9]);
    }
    if (taken && script.includes('"DEL"')) owners.delete(key);
    return Promise.resolve(taken ? 1 : 0);
  };
}

function pair<T>([one, two]: readonly [T, T], make: (of: T) => Lock): readonly [Lock, Lock] {
  return [make(one), make(two)];
}

describe("an acquisition that is `lasting`", () => {
  const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  const { fetch } = embedded();
  let requests = 0;
  const counting: typeof fetch = async (input, init) => {
    requests++;
    try {
      return await fetch(input, init);
    } finally {
      requests--;
    }
  };
  const busy = (): boolean => requests > 0;
  const redis = fakeRedis();
  const [db, other] = [connect({ fetch: counting }), connect({ fetch: counting })];
  before(() => new RqliteLock({ name: "first", client: db }).look());
  after(() => Promise.all([db.close(), other.close()]));

  /** A lock as two who want it have it: in rqlite and in Redis. */
  const kinds = [
    (name: string, limits: Limits = {}): readonly [Lock, Lock] =>
      pair([db, other], (client) => new RqliteLock({ name, client, ...limits })),
    (name: string, limits: Limits = {}): readonly [Lock, Lock] =>
      pair([redis(), redis()], (command) => new RedisLock({ name, command, ...limits })),
  ];

  it("is renewed without an end, unless the lock was given one", async () => {
    const isHeld = async ([lock]: readonly [Lock, Lock], options: AcquireOptions) => {
      const handle = await lock.acquire({ ...options, timeout: Infinity });
      await wait(100_000);
      const { held } = handle;
      await handle.release();
      return held;
    };
    const once = new RedisLock({ name: "once", command: redis(), renew: false });
    await inOwnTime(busy, async () => {
      assert.equal(await isHeld([once, once], { lasting: true }), false);
      const held = await Promise.all(kinds.flatMap((kind) => [
        isHeld(kind("usual"), {}),
        isHeld(kind("given", { maxHoldTime: 60_000 }), { lasting: true }),
        isHeld(kind("lasting"), { lasting: true }),
      ]));
      assert.deepEqual(held, [false, false, true, false, false, true]);
    });
  });

  it("asks less often, unless the lock was told how often", async () => {
    const random = Math.random;
    Math.random = () => 0.9;
    /** The longest wait between two tries: what is longer is a limit of a request, or the end of a lease. */
    const longest = async ([lock, theirs]: readonly [Lock, Lock], lasting: boolean) => {
      let found = 0;
      await inOwnTime(busy, async (waits) => {
        const handle = await lock.acquire({ timeout: Infinity });
        const waiting = theirs.acquire({ lasting, timeout: Infinity });
        await wait(1_000);
        found = Math.max(...[...waits].filter((delay) => delay < 1_000));
        await handle.release();
        await (await waiting).release();
      });
      return Math.floor(found);
    };
    try {
      for (const kind of kinds) {
        assert.ok(await longest(kind("usual"), false) < 50);
        assert.equal(await longest(kind("lasting"), true), 450);
        assert.equal(await longest(kind("given", { maxRetryDelay: 20 }), true), 18);
      }
    } finally {
      Math.random = random;
    }
  });
});
