// 200 tasks of processes of every engine wait for one lock in Redis or Valkey, on a machine that is busy with the other.
import { describe, it } from "node:test";
import { REDIS_WORLDS } from "./lock_worlds.ts";
import { checkTurns, runRoom } from "./room.ts";

/** The database has nothing to do with it. */
const NOWHERE = ["http://127.0.0.1:1"];

const skip = REDIS_WORLDS.map((world) => world.skip).find((reason) => reason !== false) ?? false;

describe("RedisLock that 200 wait for", { skip }, () => {
  it("is held by one at a time, in each process as they came", async () => {
    await Promise.all(REDIS_WORLDS.map(async ({ start }) => {
      const { plan: lock, stop } = await start(30_000);
      try {
        const room = { lock, urls: NOWHERE, processes: 4, tasks: 50 };
        checkTurns(await runRoom(room), room);
      } finally {
        await stop();
      }
    }));
  });
});
