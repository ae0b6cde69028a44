// Processes that hold a lock and are stopped, blocked or killed.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Client, connect } from "../../mod.ts";
import { childEngines, OWN_ENGINE } from "../support/engines.ts";
import { skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";
import { makeCounter, readCounter } from "./crowd.ts";
import { startHolder } from "./holding.ts";
import { type LockPlan, makeLock } from "./make_lock.ts";
import { LOCK_WORLDS } from "./lock_worlds.ts";

const LEASE = 300;

/** Every engine in one of the runs; in the others the one that runs this. */
const ENGINES = OWN_ENGINE.name === "deno" ? childEngines() : [OWN_ENGINE];

async function inWorld(
  start: (lease: number) => Promise<{ plan: LockPlan; stop: () => Promise<void> }>,
  body: (world: { url: string; db: Client; plan: LockPlan }) => Promise<void>,
): Promise<void> {
  const server = await startRqlited();
  const { plan, stop } = await start(LEASE);
  const db = connect(server.url, { timeout: 60_000 });
  try {
    await makeCounter(db);
    await body({ url: server.url, db, plan });
  } finally {
    await db.close();
    await stop();
    await server.stop();
  }
}

/** Takes the lock as soon as it can be had, and commits under it. */
async function raise(db: Client, plan: LockPlan): Promise<void> {
  const { lock, close } = await makeLock(plan, db);
  await db.transaction(async (tx) => {
    const { rows: [row] } = await tx.query<{ n: number }>("SELECT n FROM counter");
    await tx.execute("UPDATE counter SET n = ?", [row!.n + 1]);
  }, { lock: lock!, timeout: 60_000 });
  await close();
}

const LOST = { held: false, aborted: true, refused: "LockLostError", state: "rolledback" };

for (const world of LOCK_WORLDS) {
  describe(`the holder of ${world.name}`, { skip: skipWithoutRqlited() || world.skip }, () => {
    for (const engine of ENGINES) {
      it(`stopped on ${engine.name} sees at once that it lost, and cannot commit (locks test 8)`, async () => {
        await inWorld(world.start, async ({ url, db, plan }) => {
          const holder = await startHolder(engine, { url, lock: plan, blocks: 0, longer: LEASE });
          try {
            holder.kill("SIGSTOP");
            await raise(db, plan);
            // Longer than the lease, whatever the waiter needed.
            await new Promise((resolve) => setTimeout(resolve, LEASE));
            holder.kill("SIGCONT");
            assert.deepEqual(await holder.found, LOST);
            assert.equal(await readCounter(db), 1);
          } finally {
            holder.kill("SIGKILL");
          }
        });
      });

      it(`blocked on ${engine.name} sees at once that it lost, and cannot commit (locks test 9)`, async () => {
        await inWorld(world.start, async ({ url, db, plan }) => {
          const job = { url, lock: plan, blocks: 4 * LEASE, longer: 0 };
          const holder = await startHolder(engine, job);
          try {
            await raise(db, plan);
            assert.deepEqual(await holder.found, LOST);
            assert.equal(await readCounter(db), 1);
          } finally {
            holder.kill("SIGKILL");
          }
        });
      });
    }

    it("killed leaves a lock that the next one gets (locks test 7)", async () => {
      await inWorld(world.start, async ({ url, db, plan }) => {
        const job = { url, lock: plan, blocks: 0, longer: 0 };
        const holder = await startHolder(OWN_ENGINE, job);
        holder.kill("SIGKILL");
        await holder.found;
        await raise(db, plan);
        assert.equal(await readCounter(db), 1);
      });
    });
  });
}
