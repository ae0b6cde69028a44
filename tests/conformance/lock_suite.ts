import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { connect, LockLostError, LockTimeoutError } from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { LocalLock, type Lock, withLock } from "../../src/locks/mod.ts";
import { sleep, until } from "../support/http.ts";

/** How a lock of the suite is made. */
export interface LockSettings {
  readonly leaseDuration?: number;
}

/** An implementation of locks at work. */
export interface LockWorld {
  /** A lock of this process: all of one name take turns. */
  lock(name: string, settings?: LockSettings): Lock;
  /** The same lock as another process sees it. */
  elsewhere(name: string, settings?: LockSettings): Lock;
  /** What grows whenever the holder renews its lease, and not otherwise. */
  sign(name: string): Promise<number>;
  /** Makes the holder lose the lock. */
  steal(name: string): Promise<unknown>;
  close(): Promise<void>;
}

/** An implementation of locks. */
export interface LockTarget {
  readonly name: string;
  readonly skip: string | false;
  /** It is held for a time, renewed, and may be lost. */
  readonly leases: boolean;
  open(): Promise<LockWorld>;
}

/** What every lock must do. */
export function lockSuite(target: LockTarget): void {
  describe(`conformance of ${target.name}`, { skip: target.skip }, () => {
    let world: LockWorld;
    let count = 0;
    before(async () => {
      world = await target.open();
    });
    after(() => world?.close());

    /** A test with a name for a lock of its own. */
    const test = (title: string, body: (name: string) => Promise<void>) =>
      it(title, () => body(`${target.name} ${++count}`));

    test("acquire() holds until release(), which says whether it freed it", async (name) => {
      const handle = await world.lock(name).acquire();
      assert.equal(handle.name, name);
      assert.match(handle.token, /^[\w-]{16,}$/);
      assert.deepEqual([handle.held, handle.signal.aborted], [true, false]);
      handle.throwIfLost();
      await assert.rejects(
        world.elsewhere(name).acquire({ timeout: 0 }),
        (error) => error instanceof LockTimeoutError && error.lock === name && !error.cause,
      );
      assert.equal(await handle.release(), true);
      assert.deepEqual([handle.held, handle.signal.aborted], [false, false]);
      assert.equal(await handle.release(), false);
      const next = await world.elsewhere(name).acquire({ timeout: 0 });
      assert.notEqual(next.token, handle.token);
      assert.equal(await handle.release(), false, "of a handle that is over");
      assert.equal(next.held, true);
      assert.equal(await next.release(), true);
    });

    test("throwIfLost() of a handle that was released throws, however it was released", async (name) => {
      const isReleased = (error: unknown): boolean =>
        error instanceof LockLostError && error.lock === name && /released/.test(error.message);
      const lock = world.lock(name);
      const handle = await lock.acquire();
      const releasing = handle.release();
      assert.throws(() => handle.throwIfLost(), isReleased, "while it is released");
      await releasing;
      assert.throws(() => handle.throwIfLost(), isReleased);
      const disposed = await lock.acquire();
      await disposed[Symbol.asyncDispose]();
      assert.throws(() => disposed.throwIfLost(), isReleased);
      const kept = await withLock(lock, (handle) => Promise.resolve(handle));
      assert.throws(() => kept.throwIfLost(), isReleased);
      assert.equal(kept.signal.aborted, false, "it was not lost");
      const both = await withLock([lock, new LocalLock()], (handle) => Promise.resolve(handle));
      assert.throws(() => both.throwIfLost(), LockLostError);
    });

    test("acquire() with a timeout of 0 tries once", async (name) => {
      const handle = await world.lock(name).acquire({ timeout: 0 });
      await assert.rejects(world.elsewhere(name).acquire({ timeout: 0 }), LockTimeoutError);
      await assert.rejects(world.lock(name).acquire({ timeout: 0 }), LockTimeoutError);
      await handle.release();
      await (await world.lock(name).acquire({ timeout: 0 })).release();
    });

    test("acquire() waits for ever if told so, and gets it when it is free", async (name) => {
      const handle = await world.lock(name).acquire();
      const waiting = world.elsewhere(name).acquire({ timeout: Infinity });
      await sleep(30);
      await handle.release();
      assert.equal(await (await waiting).release(), true);
    });

    test("acquire() ends with the reason of its signal, and leaves nothing behind", async (name) => {
      const reason = new Error("enough");
      await assert.rejects(world.lock(name).acquire({ signal: AbortSignal.abort(reason) }), reason);
      for (const place of ["lock", "elsewhere"] as const) {
        const handle = await world.lock(name).acquire();
        const controller = new AbortController();
        const waiting = world[place](name).acquire({ signal: controller.signal });
        setTimeout(() => controller.abort(reason), 20);
        await assert.rejects(waiting, reason);
        assert.equal(await handle.release(), true);
        // A command of the one that gave up may still be under way, and is undone: long before its lease runs out.
        const next = await world[place === "lock" ? "elsewhere" : "lock"](name)
          .acquire({ timeout: 2_000 });
        assert.equal(await next.release(), true);
      }
    });

    test("acquire() in the moment of an abort leaves nothing behind", async (name) => {
      await (await world.lock(name).acquire()).release(); // connections and tables are there
      for (let i = 0; i < 20; i++) {
        const controller = new AbortController();
        const taking = world.lock(name).acquire({ signal: controller.signal });
        setTimeout(() => controller.abort(new Error("enough")), i % 4);
        const handle = await taking.catch(() => undefined);
        await handle?.release();
      }
      await (await world.elsewhere(name).acquire({ timeout: 5_000 })).release();
    });

    test("acquire() lets the tasks of a process in as they came (locks test 20)", async (name) => {
      const order: number[] = [];
      const controller = new AbortController();
      const lock = world.lock(name);
      const tasks = Array.from({ length: 8 }, async (_, i) => {
        const handle = await lock.acquire(i === 3 ? { signal: controller.signal } : {});
        order.push(i);
        if (i === 1) controller.abort(new Error("enough"));
        await sleep(1);
        await handle.release();
      });
      const settled = await Promise.allSettled(tasks);
      assert.deepEqual(order, [0, 1, 2, 4, 5, 6, 7]);
      assert.deepEqual(settled.findIndex(({ status }) => status === "rejected"), 3);
    });

    test("acquire() lets one in at a time, whoever asks from wherever", async (name) => {
      let inside = 0;
      let worst = 0;
      let entered = 0;
      const work = async (lock: Lock): Promise<void> => {
        for (let i = 0; i < 5; i++) {
          const handle = await lock.acquire({ timeout: 60_000 });
          worst = Math.max(worst, ++inside);
          await sleep(1);
          inside--;
          entered++;
          await handle.release();
        }
      };
      const locks = [world.lock(name), world.elsewhere(name)];
      await Promise.all([...locks, ...locks].map(work));
      assert.deepEqual([worst, entered], [1, 20]);
    });

    test("acquire() refuses what is no limit and no signal", async (name) => {
      const lock = world.lock(name);
      for (const timeout of [-1, NaN]) await assert.rejects(lock.acquire({ timeout }), RangeError);
      for (const timeout of ["1", null]) {
        await assert.rejects(lock.acquire({ timeout: timeout as never }), TypeError);
      }
      await assert.rejects(lock.acquire({ signal: {} as AbortSignal }), TypeError);
      await (await world.elsewhere(name).acquire({ timeout: 0 })).release();
    });

    test("withLock() lets go when the function answers and when it throws", async (name) => {
      const lock = world.lock(name);
      assert.equal(await withLock(lock, (handle) => Promise.resolve(handle.held)), true);
      const boom = new Error("boom");
      await assert.rejects(withLock(lock, () => Promise.reject(boom)), boom);
      await (await world.elsewhere(name).acquire({ timeout: 0 })).release();
    });

    test("withLock() takes several in an order of its own, so nobody blocks anybody", async (name) => {
      const [a, b] = [world.lock(`${name} a`), world.lock(`${name} b`)];
      const [c, d] = [world.elsewhere(`${name} a`), world.elsewhere(`${name} b`)];
      const done: number[] = [];
      await Promise.all(
        [[a, b], [b, a], [d, c], [c, d]].map((locks, i) =>
          withLock(locks, async (handle) => {
            assert.equal(handle.name, `${name} a, ${name} b`);
            await sleep(1);
            done.push(i);
          })
        ),
      );
      assert.equal(done.length, 4);
    });

    test("transaction() takes the lock, so that nothing collides (locks test 24)", async (name) => {
      const engine = embedded();
      const db = connect(engine);
      try {
        await db.execute("CREATE TABLE t(n INTEGER)");
        await db.execute("INSERT INTO t VALUES(0)");
        let runs = 0;
        const increment = (lock: Lock): Promise<void> =>
          db.transaction(async (tx) => {
            runs++;
            const { rows: [row] } = await tx.query<{ n: number }>("SELECT n FROM t");
            await sleep(1);
            await tx.execute("UPDATE t SET n = ?", [row!.n + 1]);
          }, { lock, retries: 0 });
        const locks = [world.lock(name), world.elsewhere(name)];
        await Promise.all([...locks, ...locks, ...locks].map(increment));
        const { rows } = await db.query("SELECT n FROM t");
        assert.deepEqual([rows, runs], [[{ n: 6 }], 6]);
      } finally {
        await db.close();
        engine.close();
      }
    });

    if (!target.leases) return;

    test("a lease is renewed while it is held, so that nobody else gets the lock", async (name) => {
      const handle = await world.lock(name, { leaseDuration: 1_200 }).acquire();
      const first = await world.sign(name);
      await until("renewal", async () => await world.sign(name) > first || undefined);
      await assert.rejects(world.elsewhere(name).acquire({ timeout: 0 }), LockTimeoutError);
      assert.equal(handle.held, true);
      assert.equal(await handle.release(), true);
    });

    test("a holder is told when it lost the lock, and then frees nobody else's", async (name) => {
      const handle = await world.lock(name, { leaseDuration: 300 }).acquire();
      await world.steal(name);
      await until("loss", () => Promise.resolve(handle.signal.aborted || undefined));
      assert.ok(handle.signal.reason instanceof LockLostError);
      assert.equal(handle.held, false);
      assert.throws(() => handle.throwIfLost(), LockLostError);
      const next = await world.lock(name).acquire();
      assert.equal(await handle.release(), false);
      assert.equal(next.held, true);
      assert.equal(await next.release(), true);
    });
  });
}
