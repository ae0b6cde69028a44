// Processes that hold a lock and are stopped, blocked or killed.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Client, connect, LockLostError } from "../../mod.ts";
import { type ChildEngine, childEngines, OWN_ENGINE } from "../support/engines.ts";
import { sleep } from "../support/http.ts";
import { skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";
import { makeCounter, readCounter } from "./crowd.ts";
import { type Holder, type HolderJob, startHolder } from "./holding.ts";
import { type LockPlan, makeLock } from "./make_lock.ts";
import { LOCK_WORLDS, type LockWorld } from "./lock_worlds.ts";
import { runWaiter, WAYS } from "./waiting.ts";

const LEASE = 400;

/** Milliseconds: the holder waits for the signal that ends it. */
const FOREVER = 1e9;

/** Every engine in one of the runs; in the others the one that runs this. */
const ENGINES = OWN_ENGINE.name === "deno" ? childEngines() : [OWN_ENGINE];

interface Held {
  readonly url: string;
  readonly db: Client;
  readonly plan: LockPlan;
  readonly holder: Holder;
}

/** Another process holds the lock on a server of its own. */
async function whileHeld(
  { start }: LockWorld,
  engine: ChildEngine,
  job: Pick<HolderJob, "blocks" | "longer">,
  body: (held: Held) => Promise<void>,
  lease: number | "default" = LEASE,
): Promise<void> {
  const server = await startRqlited();
  const { plan, stop } = await start(lease === "default" ? undefined : lease);
  const db = connect(server.url, { timeout: 60_000 });
  let holder: Holder | undefined;
  try {
    await makeCounter(db);
    holder = await startHolder(engine, { url: server.url, lock: plan, ...job });
    await body({ url: server.url, db, plan, holder });
  } finally {
    holder?.kill("SIGKILL");
    await db.close();
    await stop();
    await server.stop();
  }
}

/** Takes the lock as soon as it can be had, and commits under it. */
async function raise({ db, plan }: Held): Promise<void> {
  const { lock, close } = await makeLock(plan, db);
  const once = () =>
    db.transaction(async (tx) => {
      const { rows: [row] } = await tx.query<{ n: number }>("SELECT n FROM counter");
      await tx.execute("UPDATE counter SET n = ?", [row!.n + 1]);
    }, { lock, timeout: 60_000 });
  for (let done = false; !done;) {
    done = await once().then(() => true, (error) => {
      // A busy machine may stop this process for a whole lease, too.
      if (error instanceof LockLostError) return false;
      throw error;
    });
  }
  await close();
}

const LOST = { held: false, aborted: true, refused: "LockLostError", state: "rolledback" };

const stoppedOn = (world: LockWorld) => (engine: ChildEngine): Promise<void> =>
  whileHeld(world, engine, { blocks: 0, longer: LEASE }, async (held) => {
    held.holder.kill("SIGSTOP");
    await raise(held);
    // Longer than the lease, whatever the waiter needed.
    await sleep(LEASE);
    held.holder.kill("SIGCONT");
    assert.deepEqual(await held.holder.found, LOST, engine.name);
    assert.equal(await readCounter(held.db), 1);
  });

const blockedOn = (world: LockWorld) => (engine: ChildEngine): Promise<void> =>
  whileHeld(world, engine, { blocks: 5 * LEASE, longer: 0 }, async (held) => {
    await raise(held);
    assert.deepEqual(await held.holder.found, LOST, engine.name);
    assert.equal(await readCounter(held.db), 1);
  });

const killedOn = (world: LockWorld) => (engine: ChildEngine): Promise<void> =>
  whileHeld(world, engine, { blocks: 0, longer: FOREVER }, async (held) => {
    held.holder.kill("SIGKILL");
    await held.holder.found;
    await raise(held);
    assert.equal(await readCounter(held.db), 1);
  });

/** New processes, each of another way and engine, which know nothing but the defaults. */
async function followed({ url, db, plan }: Held): Promise<void> {
  const engines = childEngines();
  const done = await Promise.all(
    WAYS.map((way, i) => runWaiter(engines[i % engines.length]!, { url, lock: plan, way })),
  );
  assert.deepEqual(done, WAYS.map(() => "done"));
  assert.equal(await readCounter(db), WAYS.length);
}

const ENDS: readonly ((held: Held) => Promise<void>)[] = [
  async (held) => {
    held.holder.kill("SIGKILL");
    await held.holder.found;
    await followed(held);
  },
  async (held) => {
    held.holder.kill("SIGSTOP");
    await followed(held);
    held.holder.kill("SIGCONT");
    assert.deepEqual(await held.holder.found, LOST);
    assert.equal(await readCounter(held.db), WAYS.length);
  },
];

describe("with default options everywhere", { skip: skipWithoutRqlited() }, () => {
  // Together, as each takes as long as a lease.
  it("a holder that is killed or stopped is followed by all who begin to wait then (locks test 7)", async () => {
    const [inRqlite, inRedis] = LOCK_WORLDS;
    const worlds = [inRqlite!, inRedis!].filter(({ skip }) => skip === false);
    await Promise.all(
      worlds.flatMap((world) =>
        ENDS.map((end) =>
          whileHeld(world, OWN_ENGINE, { blocks: 0, longer: LEASE }, end, "default")
        )
      ),
    );
  });
});

for (const world of LOCK_WORLDS) {
  describe(`the holder of a ${world.name}`, { skip: skipWithoutRqlited() || world.skip }, () => {
    it("sees at once that it was stopped for too long, and cannot commit (locks test 8)", async () => {
      await Promise.all(ENGINES.map(stoppedOn(world)));
    });

    it("sees at once that it blocked itself for too long, and cannot commit (locks test 9)", async () => {
      await Promise.all(ENGINES.map(blockedOn(world)));
    });

    it("leaves it to the next one when it is killed (locks test 7)", async () => {
      await Promise.all(ENGINES.map(killedOn(world)));
    });
  });
}
