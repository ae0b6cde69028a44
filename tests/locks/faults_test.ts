// Processes of all engines count under each kind of lock while something goes wrong. `deno task soak` is the long form.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { OWN_ENGINE } from "../support/engines.ts";
import { REDIS_KINDS, skipWithoutRedis } from "../support/redis.ts";
import { skipWithoutRqlited } from "../support/rqlited.ts";
import {
  countInPeace,
  countUnguarded,
  countWithDeadLeaders,
  countWithFailover,
  countWithLostAnswers,
  countWithPauses,
  countWithRestarts,
  countWithWipes,
} from "./faults.ts";
import { LOCK_WORLDS, REDIS_WORLDS, type RedisLockWorld } from "./lock_worlds.ts";

const SIZE = { processes: 4, rounds: 12, pauses: 0.3, blow: 300 };
const TOTAL = SIZE.processes * SIZE.rounds;

const skip = skipWithoutRqlited() ||
  OWN_ENGINE.name !== "deno" && "the run on Deno starts processes of every engine";

const [REDIS_WORLD] = REDIS_WORLDS as [RedisLockWorld];
describe("processes that share a lock and nothing else", { skip: skip || REDIS_WORLD.skip }, () => {
  it("lose updates while they are stopped for longer than the lease, so that the others mean something", async () => {
    const { n } = await countUnguarded(REDIS_WORLD, SIZE);
    assert.ok(n < TOTAL, String(n));
  });
});

for (const world of LOCK_WORLDS) {
  describe(`processes that share a ${world.name}`, { skip: skip || world.skip }, () => {
    it("lose nothing and are never in each other's way (locks test 13)", async () => {
      const { n, runs, conflicts, lost } = await countInPeace(world, SIZE);
      assert.deepEqual({ n, runs, conflicts, lost }, {
        n: TOTAL,
        runs: TOTAL,
        conflicts: 0,
        lost: 0,
      });
    });

    it("count exactly while they are stopped for longer than the lease (locks test 14)", async () => {
      const { n, lost } = await countWithPauses(world, SIZE);
      assert.equal(n, TOTAL);
      assert.ok(lost > 0, "no lease ran out");
    });

    it("count exactly while answers to commits are lost, too (locks test 15)", async () => {
      const { n, cut } = await countWithLostAnswers(world, SIZE);
      assert.equal(n, TOTAL);
      assert.ok(cut > 0, "no answer was lost");
    });
  });
}

for (const world of REDIS_WORLDS) {
  describe(`processes whose ${world.name} forgets it`, { skip: skip || world.skip }, () => {
    it("count exactly though it is wiped every 300 ms (locks test 11)", async () => {
      assert.equal((await countWithWipes(world, SIZE)).n, TOTAL);
    });

    it("count exactly though the server is killed and starts empty (locks test 10)", async () => {
      assert.equal((await countWithRestarts(world, SIZE)).n, TOTAL);
    });
  });
}

describe("processes on clusters", { skip }, () => {
  const lacks = REDIS_KINDS.map(skipWithoutRedis).find((reason) => reason !== false) ?? false;
  it(
    "count exactly though a replica that lags takes over (locks test 12)",
    { skip: lacks },
    async () => {
      const counted = await Promise.all(REDIS_KINDS.map((kind) => countWithFailover(kind, SIZE)));
      assert.deepEqual(counted.map(({ n }) => n), [TOTAL, TOTAL]);
    },
  );

  it("count exactly though rqlite's leader is killed (locks test 16)", async () => {
    const [world] = LOCK_WORLDS;
    assert.equal((await countWithDeadLeaders(world!, SIZE, 1)).n, TOTAL);
  });
});
