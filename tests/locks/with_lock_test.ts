// Several locks as one: the order they are taken in, what is let go of, and what their one handle says.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LockLostError, LockTimeoutError } from "../../mod.ts";
import { LocalLock, type Lock, type LockHandle, withLock } from "../../src/locks/mod.ts";

/** A lock that tells what is done with it, and can be lost. */
class ToldLock implements Lock {
  readonly name: string;
  readonly #lock: LocalLock;
  readonly #told: string[];
  readonly #loss = new AbortController();
  timeout: number | undefined;

  constructor(name: string, told: string[]) {
    this.name = name;
    this.#told = told;
    this.#lock = new LocalLock(name);
  }

  lose(): void {
    this.#loss.abort(new LockLostError(`${this.name} was lost`, { lock: this.name }));
  }

  async acquire(options: { timeout?: number } = {}): Promise<LockHandle> {
    this.timeout = options.timeout;
    const { name, token, release } = await this.#lock.acquire(options).then((handle) => ({
      name: handle.name,
      token: handle.token,
      release: () => handle.release(),
    }));
    this.#told.push(`+${name}`);
    const { signal } = this.#loss;
    return {
      name,
      token,
      signal,
      get held() {
        return !signal.aborted;
      },
      throwIfLost: () => signal.throwIfAborted(),
      release: () => {
        this.#told.push(`-${name}`);
        return release();
      },
      [Symbol.asyncDispose]: async () => void await release(),
    };
  }
}

function three(): { told: string[]; locks: [ToldLock, ToldLock, ToldLock] } {
  const told: string[] = [];
  return {
    told,
    locks: [new ToldLock("b", told), new ToldLock("c", told), new ToldLock("a", told)],
  };
}

describe("withLock", () => {
  it("withLock() takes several by their names, frees the last first, and answers", async () => {
    const { told, locks } = three();
    const given = [...locks];
    const answer = await withLock(locks, (handle) => {
      told.push("run");
      assert.deepEqual([handle.name, handle.held], ["a, b, c", true]);
      assert.equal(handle.token.split(", ").length, 3);
      return Promise.resolve("answer");
    });
    assert.equal(answer, "answer");
    assert.deepEqual(told, ["+a", "+b", "+c", "run", "-c", "-b", "-a"]);
    assert.deepEqual(locks, given, "the caller's list stays as it was");
  });

  it("withLock() frees all that it took when one is not to be had", async () => {
    const { told, locks } = three();
    const other = await locks[1].acquire();
    told.length = 0;
    let ran = false;
    const taking = withLock(locks, () => Promise.resolve(ran = true), { timeout: 40 });
    await assert.rejects(taking, LockTimeoutError);
    assert.deepEqual([told, ran], [["+a", "+b", "-b", "-a"], false]);
    await other.release();
    await withLock(locks, () => Promise.resolve(), { timeout: 0 });
  });

  it("withLock() frees all when it is aborted, and when the function throws", async () => {
    const { told, locks } = three();
    const other = await locks[1].acquire();
    told.length = 0;
    const controller = new AbortController();
    const reason = new Error("enough");
    const taking = withLock(locks, () => Promise.resolve(), { signal: controller.signal });
    setTimeout(() => controller.abort(reason), 10);
    await assert.rejects(taking, reason);
    assert.deepEqual(told, ["+a", "+b", "-b", "-a"]);
    await other.release();
    await assert.rejects(
      withLock(locks, () => {
        throw reason; // not even a promise
      }),
      reason,
    );
    await withLock(locks, () => Promise.resolve(), { timeout: 0 });
  });

  it("withLock() has one limit for all of them", async () => {
    const { locks } = three();
    await withLock(locks, () => Promise.resolve(), { timeout: 5_000 });
    assert.ok(locks.every(({ timeout }) => timeout! > 0 && timeout! <= 5_000));
    await withLock(locks, () => Promise.resolve(), { timeout: Infinity });
    assert.deepEqual(locks.map(({ timeout }) => timeout), [Infinity, Infinity, Infinity]);
  });

  it("withLock() gives no lock another try that has no limit once time is up", async () => {
    const { locks: [b, c, a] } = three();
    const slow: Lock = {
      name: "a",
      acquire: async () => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        return await a.acquire();
      },
    };
    await withLock([slow, b], () => Promise.resolve(), { timeout: 10 }).catch(() => {});
    assert.equal(b.timeout, 1);
    await withLock([slow, c], () => Promise.resolve(), { timeout: 0 });
    assert.equal(c.timeout, 0);
  });

  it("withLock() passes a handle that is lost as soon as one lock is", async () => {
    const { locks } = three();
    await withLock(locks, (handle) => {
      handle.throwIfLost();
      locks[0].lose();
      assert.equal(handle.held, false);
      assert.equal(handle.signal.aborted, true);
      assert.ok(handle.signal.reason instanceof LockLostError);
      assert.throws(() => handle.throwIfLost(), LockLostError);
      return Promise.resolve();
    });
  });

  it("withLock() passes a handle that frees all of them before the end", async () => {
    const { told, locks } = three();
    await withLock(locks, async (handle) => {
      assert.equal(await handle.release(), true);
      assert.equal(await handle.release(), false);
      assert.equal(told.filter((one) => one.startsWith("-")).length >= 3, true);
      await Promise.all(locks.map(async (lock) => (await lock.acquire({ timeout: 0 })).release()));
    });
  });

  it("withLock() passes the very handle of a single lock, in a list or not", async () => {
    const lock = new LocalLock("one");
    for (const given of [lock, [lock]]) {
      await withLock(given, (handle) => {
        assert.equal(handle.name, "one");
        return Promise.resolve();
      });
    }
  });

  it("withLock() takes what was said to be held for many at once in turns", async () => {
    const { locks } = three();
    let inside = 0;
    let worst = 0;
    await Promise.all(
      Array.from({ length: 6 }, (_, i) =>
        withLock(i % 2 ? locks : locks.toReversed(), async () => {
          worst = Math.max(worst, ++inside);
          await new Promise((resolve) => setTimeout(resolve, 1));
          inside--;
        })),
    );
    assert.equal(worst, 1);
  });

  it("withLock() refuses what is no lock, no list, no function and no limit", async () => {
    const lock = new LocalLock();
    const run = () => Promise.resolve();
    const wrong: [unknown, unknown, unknown][] = [
      [undefined, run, {}],
      [{}, run, {}],
      [{ acquire: run }, run, {}],
      [[], run, {}],
      [[lock, undefined], run, {}],
      [[lock, lock], run, {}],
      [lock, undefined, {}],
      [lock, run, { signal: 1 }],
    ];
    for (const [given, fn, options] of wrong) {
      const taking = withLock(given as Lock, fn as typeof run, options as object);
      await assert.rejects(taking, (error) => {
        return error instanceof TypeError && error.message.startsWith("Cannot use `");
      });
    }
    await assert.rejects(withLock(lock, run, { timeout: -1 }), RangeError);
    await (await lock.acquire({ timeout: 0 })).release();
  });
});

describe("LocalLock", () => {
  it("LocalLock() takes a name, or none", () => {
    assert.equal(new LocalLock().name, "local");
    assert.equal(new LocalLock("a").name, "a");
    for (const name of ["", null, 5]) {
      assert.throws(() => new LocalLock(name as string), TypeError);
    }
  });

  it("locks with the same name are still two", async () => {
    const [one, two] = [new LocalLock("a"), new LocalLock("a")];
    await one.acquire();
    await (await two.acquire({ timeout: 0 })).release();
  });

  it("release() hands over to the next one at once: nobody can slip in between", async () => {
    const lock = new LocalLock();
    const handle = await lock.acquire();
    const next = lock.acquire();
    await handle.release();
    await assert.rejects(lock.acquire({ timeout: 0 }), LockTimeoutError);
    assert.equal(await (await next).release(), true);
  });
});
