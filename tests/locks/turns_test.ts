// Who of many in one process comes next, and that nobody comes beside another.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Client, LockTimeoutError } from "../../mod.ts";
import { LocalLock, type Lock, type LockHandle } from "../../src/locks/mod.ts";
import { RqliteLock } from "../../src/locks/rqlite.ts";
import { sleep } from "../support/http.ts";
import { skipWithoutRedis } from "../support/redis.ts";
import { PLACES } from "../transaction/world.ts";
import { lockOf, onRedis } from "./redis_world.ts";

const FIRST = 100;
const ALL = 200;

/**
 * Runs 100 at once, and with each that is served one more comes, who would overtake where the queue is not one.
 *
 * @param lockOf The lock of one of them.
 */
async function crowd(lockOf: (i: number) => Lock): Promise<void> {
  const served: number[] = [];
  const inside = new Set<LockHandle>();
  let next = 0;
  const come = async (): Promise<void> => {
    const i = next++;
    const handle = await lockOf(i).acquire({ timeout: 60_000 });
    served.push(i);
    // A stalled process loses a lease: then the next one may come, as the handle says.
    assert.deepEqual([...inside].filter(({ held }) => held), [], "nobody else is inside");
    inside.add(handle);
    const another = next < ALL ? come() : undefined;
    await sleep(2);
    inside.delete(handle);
    await handle.release();
    await another;
  };
  await Promise.all(Array.from({ length: FIRST }, come));
  assert.deepEqual(served, Array.from({ length: ALL }, (_, i) => i), "in the order of coming");
}

describe("acquire() for 200 in one process", () => {
  it("serves those of a LocalLock in the order of coming", async () => {
    const lock = new LocalLock();
    await crowd(() => lock);
  });

  it(
    "serves those of a RedisLock in the order of coming, from the first call on",
    {
      skip: skipWithoutRedis("redis"),
    },
    () =>
      onRedis(({ command }) =>
        crowd((i) => lockOf(command, { leaseDuration: i % 2 ? 200 : 10_000 }))
      ),
  );

  for (const place of PLACES) {
    // Half of them have a lease that is shorter than the wait of most.
    it(
      `serves those of an RqliteLock on ${place.name} in the order of coming, from the first call on`,
      {
        skip: place.skip,
      },
      () =>
        place.run(({ db }) =>
          crowd((i) =>
            new RqliteLock({ name: "stock", client: db, leaseDuration: i % 2 ? 200 : 6_000 })
          )
        ),
    );
  }
});

describe("acquire() of an RqliteLock behind one of whom nothing is heard", () => {
  it("gives the turn to who waits first, once a request would have been answered", () =>
    PLACES[0]!.run(async ({ db }) => {
      let asked = 0;
      const client = {
        // As on Workers, where a request that ended waits for ever.
        query: ((...args: Parameters<Client["query"]>) =>
          asked++ === 0 ? new Promise(() => {}) : db.query(...args)) as Client["query"],
        execute: db.execute.bind(db),
        batch: db.batch.bind(db),
        first: db.first.bind(db),
        value: db.value.bind(db),
      };
      const lock = new RqliteLock({ name: "stock", client });
      const served: string[] = [];
      const take = async (who: string, timeout: number): Promise<void> => {
        const handle = await lock.acquire({ timeout });
        served.push(who);
        await handle.release();
      };
      void take("gone", Infinity);
      await assert.rejects(take("early", 0), LockTimeoutError);
      const waiting = take("first", 60_000);
      const { now } = performance;
      performance.now = () =>
        now.call(performance) + 6_001;
      try {
        await Promise.all([waiting, take("second", 60_000)]);
      } finally {
        performance.now = now;
      }
      assert.deepEqual(served, ["first", "second"]);
    }));

  it("lets one ask at a time also where nobody waited for the turn", () =>
    PLACES[0]!.run(async ({ db }) => {
      let [asking, most] = [0, 0];
      const client = {
        query: (async (...args: Parameters<Client["query"]>) => {
          most = Math.max(most, ++asking);
          return await db.query(...args).finally(() => asking--);
        }) as Client["query"],
        execute: db.execute.bind(db),
        batch: db.batch.bind(db),
        first: db.first.bind(db),
        value: db.value.bind(db),
      };
      await new RqliteLock({ name: "stock", client, leaseDuration: 200 }).acquire();
      const lock = new RqliteLock({ name: "stock", client });
      const served: number[] = [];
      const take = async (i: number): Promise<void> => {
        const handle = await lock.acquire({ timeout: 60_000 });
        served.push(i);
        await handle.release();
      };
      const { now } = performance;
      // The lease has run out before its own timer says so.
      performance.now = () => now.call(performance) + 6_001;
      try {
        await Promise.all([0, 1, 2, 3].map(take));
      } finally {
        performance.now = now;
      }
      assert.deepEqual([most, served], [1, [0, 1, 2, 3]]);
    }));

  it("passes nobody over whose requests are slow, each for itself", () =>
    PLACES[0]!.run(async ({ db }) => {
      const { now } = performance;
      let [later, asked, askedMeanwhile] = [0, 0, 0];
      const waiting: Promise<unknown>[] = [];
      const client = {
        query: (async (...args: Parameters<Client["query"]>) => {
          if (++asked === 1) later += 4_000;
          return await db.query(...args);
        }) as Client["query"],
        execute: (async (...args: Parameters<Client["execute"]>) => {
          if (later > 4_000) return await db.execute(...args);
          later += 4_000;
          // Who comes looks whether the turn is over.
          waiting.push(take(), take());
          await db.value("SELECT 1");
          askedMeanwhile = asked - 1;
          return await db.execute(...args);
        }) as Client["execute"],
        batch: db.batch.bind(db),
        first: db.first.bind(db),
        value: db.value.bind(db),
      };
      const lock = new RqliteLock({ name: "stock", client, leaseDuration: 60_000 });
      const take = async (): Promise<boolean> => {
        const handle = await lock.acquire({ timeout: 60_000 });
        return await handle.release();
      };
      await (await new RqliteLock({ name: "other", client: db }).acquire()).release();
      performance.now = () => now.call(performance) + later;
      try {
        await take();
        await Promise.all(waiting);
      } finally {
        performance.now = now;
      }
      assert.equal(askedMeanwhile, 0);
    }));
});
