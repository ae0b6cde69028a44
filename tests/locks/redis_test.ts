// A lock in Redis: what is in the server, what is sent, and what is believed of an answer.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { connect, LockLostError, LockTimeoutError, LockUnavailableError } from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { denoRedis, type RedisCommand, RedisLock } from "../../src/locks/redis.ts";
import { sleep, until } from "../support/http.ts";
import { REDIS_KINDS, skipWithoutRedis } from "../support/redis.ts";
import { RespClient } from "../support/resp.ts";
import { lockOf, onRedis } from "./redis_world.ts";

/** A command that is recorded, and may be answered otherwise. */
function recorded(
  command: RedisCommand,
  answer: (sent: string[], i: number) => unknown = () => {},
): {
  command: RedisCommand;
  sent: string[][];
} {
  const sent: string[][] = [];
  return {
    sent,
    command: async (args, key) => {
      const i = sent.push(args) - 1;
      return await answer(args, i) ?? await command(args, key);
    },
  };
}

const isAcquire = ([, script]: string[]): boolean => script!.includes("PTTL");
const isExtend = (args: string[]): boolean => !isAcquire(args) && args.length === 6;

for (const kind of REDIS_KINDS) {
  describe(`RedisLock on ${kind}-server`, { skip: skipWithoutRedis(kind) }, () => {
    it("keeps one key with the token, which runs out (locks test 1)", () =>
      onRedis(async ({ server, command, owner }) => {
        const handle = await lockOf(command, { leaseDuration: 5_000 }).acquire();
        assert.equal(await owner(), handle.token);
        assert.deepEqual(await server.send("KEYS", "*"), ["rqlite:lock:a"]);
        const left = await server.send("PTTL", "rqlite:lock:a") as number;
        assert.ok(left > 0 && left <= 5_000);
        assert.equal(await handle.release(), true);
        assert.deepEqual(await server.send("KEYS", "*"), []);
      }, { kind }));

    it("does nothing to a key with another token (locks test 1)", () =>
      onRedis(async ({ server, command, owner }) => {
        const handle = await lockOf(command, { leaseDuration: 300 }).acquire();
        await server.send("SET", "rqlite:lock:a", "another", "PX", "60000");
        await until("loss", () => Promise.resolve(handle.signal.aborted || undefined));
        assert.equal(await handle.release(), false);
        assert.equal(await owner(), "another");
        await assert.rejects(lockOf(command).acquire({ timeout: 30 }), LockTimeoutError);
        assert.equal(await owner(), "another");
      }, { kind }));

    it("waits for a key without an end, as Python may leave one", () =>
      onRedis(async ({ server, command }) => {
        await server.send("SET", "rqlite:lock:a", "another");
        const waiting = lockOf(command).acquire();
        await sleep(30);
        await server.send("DEL", "rqlite:lock:a");
        assert.equal(await (await waiting).release(), true);
      }, { kind }));

    it("takes the prefix of the key from its options", () =>
      onRedis(async ({ server, command }) => {
        const handle = await lockOf(command, { keyPrefix: "pyrqlite:lock:" }).acquire();
        assert.equal(await server.send("GET", "pyrqlite:lock:a"), handle.token);
        await handle.release();
      }, { kind }));

    it("with `renew: false` is lost when its lease runs out", () =>
      onRedis(async ({ command }) => {
        const handle = await lockOf(command, { leaseDuration: 80, renew: false }).acquire();
        await until("loss", () => Promise.resolve(handle.signal.aborted || undefined));
        assert.ok(handle.signal.reason instanceof LockLostError);
        assert.equal(handle.held, false);
        assert.throws(() => handle.throwIfLost(), LockLostError);
        const next = await lockOf(command).acquire();
        assert.equal(await handle.release(), false);
        assert.equal(await next.release(), true);
      }, { kind }));

    it("is renewed no longer than `maxHoldTime`", () =>
      onRedis(async ({ command }) => {
        const { sent, command: watched } = recorded(command);
        const options = { leaseDuration: 450, maxHoldTime: 400 };
        const handle = await lockOf(watched, options).acquire();
        await until("loss", () => Promise.resolve(handle.signal.aborted || undefined));
        assert.ok(sent.some(isExtend));
        const next = await lockOf(command).acquire();
        await next.release();
      }, { kind }));
  });
}

describe("acquire() of a RedisLock that is held", () => {
  /** A server where another holds the lock until a moment. */
  const held = (until: number, free: number): RedisCommand => (args, _key) =>
    Promise.resolve(performance.now() < until || !isAcquire(args) ? [0, free] : [1, args[4]]);

  it("tries at the very end of `timeout`, as a lease that long runs out only then", async () => {
    const command = held(performance.now() + 200, 60_000);
    const lock = new RedisLock({ name: "a", command, maxRetryDelay: 60_000 });
    const handle = await lock.acquire({ timeout: 200 });
    assert.equal(handle.held, true);
    await handle.release();
  });

  it("says for how long there was no sign of life, where the lease tells", async () => {
    const messageOf = async (free: number): Promise<string> => {
      const lock = new RedisLock({ name: "a", command: held(Infinity, free) });
      const error = await lock.acquire({ timeout: 5 }).then(() => assert.fail(), (error) => error);
      assert.ok(error instanceof LockTimeoutError);
      return error.message;
    };
    assert.match(
      await messageOf(4_000),
      /no sign of life for 6000 ms if its lease is 10000 ms as here, and loses it in 4000 ms/,
    );
    assert.match(await messageOf(20_000), /its holder loses it in 20000 ms without one/);
    assert.doesNotMatch(await messageOf(-1), /holder loses|sign of life/);
  });
});

describe("RedisLock", { skip: skipWithoutRedis("redis") }, () => {
  it("lets the tasks of a process ask one after the other, once each (locks test 20)", () =>
    onRedis(async ({ command }) => {
      const { sent, command: watched } = recorded(command);
      const order: number[] = [];
      const controller = new AbortController();
      const tasks = Array.from({ length: 8 }, async (_, i) => {
        // Another object each: they meet by key and command.
        const handle = await lockOf(watched).acquire(i === 3 ? { signal: controller.signal } : {});
        order.push(i);
        if (i === 1) controller.abort(new Error("enough"));
        await handle.release();
      });
      await Promise.allSettled(tasks);
      assert.deepEqual(order, [0, 1, 2, 4, 5, 6, 7]);
      assert.deepEqual([sent.filter(isAcquire).length, sent.length], [7, 14]);
    }));

  it("believes no answer with another token (locks test 26)", () =>
    onRedis(async ({ command, owner }) => {
      const wrong = recorded(command, (args) => isAcquire(args) ? [1, crypto.randomUUID()] : null);
      await assert.rejects(
        lockOf(wrong.command).acquire({ timeout: 200 }),
        (error) => error instanceof LockUnavailableError && /answer is not one/.test(error.message),
      );
      // It really was taken, though nobody could know.
      const late = recorded(command, async (args) => {
        if (!isAcquire(args)) return;
        await command(args as [string], args[3]!);
        return [1, "another"];
      });
      await assert.rejects(lockOf(late.command).acquire({ timeout: 200 }), LockUnavailableError);
      await until("withdrawal", async () => await owner() === null || undefined);
    }));

  for (const answer of ["OK", 1, [1], [0], [0, "1"], [1, null], [2, 2], {}, [0, 1, 2], "[1,2]"]) {
    it(`takes ${JSON.stringify(answer)} for no answer of its script`, async () => {
      const command: RedisCommand = (_args, _key) => Promise.resolve(answer);
      await assert.rejects(
        lockOf(command).acquire({ timeout: 100 }),
        (error) => error instanceof LockUnavailableError && /adapter/.test(error.message),
      );
    });
  }

  it("goes on where a command fails, and says what failed if time is up", () =>
    onRedis(async ({ command }) => {
      const broken = recorded(command, (_args, i) => {
        if (i < 3) throw new Error("read ECONNRESET");
      });
      await (await lockOf(broken.command).acquire()).release();
      const dead: RedisCommand = (_args, _key) => Promise.reject(new Error("read ECONNRESET"));
      await assert.rejects(lockOf(dead).acquire({ timeout: 60 }), (error) => {
        assert.ok(error instanceof LockTimeoutError);
        assert.match(error.message, /ECONNRESET/);
        assert.match(String(error.cause), /ECONNRESET/);
        return true;
      });
    }));

  it("goes on where a cluster's client has lost one of its nodes", () =>
    onRedis(async ({ command }) => {
      // As ioredis words it while nobody has taken over yet.
      const words = "Too many Cluster redirections. Last error: Error: Connection is closed.";
      const failing = recorded(command, (_args, i) => {
        if (i < 2) throw new Error(words);
      });
      assert.equal(await (await lockOf(failing.command).acquire()).release(), true);
    }));

  it("takes back what is answered after the caller gave up (locks test 6)", () =>
    onRedis(async ({ command, owner }) => {
      for (const giveUp of ["timeout", "abort"]) {
        let answered = false;
        const gate = Promise.withResolvers<void>();
        const slow = recorded(command, async (args) => {
          if (!isAcquire(args)) return;
          await gate.promise;
          const answer = await command(args as [string], args[3]!);
          // A second try may be under way, whose owner is asked for behind the withdrawal of the first.
          if (await owner() !== null) answered = true;
          return answer;
        });
        const reason = new Error("enough");
        const controller = new AbortController();
        const options = giveUp === "timeout" ? { timeout: 30 } : { signal: controller.signal };
        const taking = lockOf(slow.command).acquire(options);
        if (giveUp === "abort") setTimeout(() => controller.abort(reason), 30);
        await assert.rejects(taking, giveUp === "abort" ? reason : LockTimeoutError);
        gate.resolve();
        await until("late answer", () => Promise.resolve(answered || undefined));
        await until("withdrawal", async () => await owner() === null || undefined, {
          limit: 5_000,
        });
      }
    }));

  it("takes back an answer that came later than its lease lasts, and tries again", () =>
    onRedis(async ({ command, owner }) => {
      const slow = recorded(command, async (args, i) => {
        if (i > 0) return;
        const answer = await command(args as [string], args[3]!);
        await sleep(250);
        return answer;
      });
      const handle = await lockOf(slow.command, { leaseDuration: 200 }).acquire();
      const [first, ...later] = slow.sent.filter(isAcquire).map((args) => args[4]);
      assert.notEqual(handle.token, first);
      assert.equal(handle.token, later.at(-1));
      assert.equal(await handle.release(), true);
      assert.equal(await owner(), null);
    }));

  it("neither keeps a key nor takes a release for a loss in 10,000 turns (locks test 19)", () =>
    onRedis(async ({ server, command }) => {
      let lost = 0;
      const one = async (worker: number): Promise<void> => {
        for (let i = 0; i < 1_250; i++) {
          const options = { name: `w${worker}`, command, leaseDuration: 900 };
          const handle = await new RedisLock(options).acquire({ timeout: 60_000 });
          // Now and then until a renewal is under way: every third of the lease.
          if (i % 600 === 0) await sleep(299 + worker % 3);
          await handle.release();
          if (handle.signal.aborted) lost++;
        }
      };
      await Promise.all(Array.from({ length: 8 }, (_, worker) => one(worker)));
      assert.equal(lost, 0);
      assert.deepEqual(await server.send("KEYS", "*"), []);
    }));

  it("a renewal that is answered behind the release neither reports a loss nor goes on (locks test 19)", () =>
    onRedis(async ({ command, owner }) => {
      const { promise: released, resolve: release } = Promise.withResolvers<void>();
      const slow = recorded(command, (args) => isExtend(args) ? released : undefined);
      const handle = await lockOf(slow.command, { leaseDuration: 900 }).acquire();
      await until("renewal", () => Promise.resolve(slow.sent.some(isExtend) || undefined));
      assert.equal(await handle.release(), true);
      release();
      await sleep(80);
      assert.equal(handle.signal.aborted, false);
      assert.deepEqual(slow.sent.map(isExtend), [false, true, false]);
      assert.equal(await owner(), null);
    }));

  it("errs on the side of loss when a clock is set or stands still (locks test 23)", () =>
    onRedis(async ({ command }) => {
      const [date, steady] = [Date.now, performance.now];
      const hour = 3_600_000;
      const held = async (change: () => void): Promise<boolean> => {
        const handle = await lockOf(command).acquire();
        try {
          change();
          return handle.held;
        } finally {
          Date.now = date;
          performance.now = steady;
          await handle.release();
        }
      };
      assert.equal(await held(() => {}), true);
      assert.equal(await held(() => Date.now = () => date() + hour), false, "set forward");
      assert.equal(await held(() => Date.now = () => date() - hour), true, "set back");
      assert.equal(
        await held(() => performance.now = () => steady.call(performance) + hour),
        false,
        "set back, and the lease ran out",
      );
    }));

  it("that a clock gives up for lost keeps a transaction from committing (locks test 23)", () =>
    onRedis(async ({ command }) => {
      const engine = embedded();
      const db = connect(engine);
      const date = Date.now;
      try {
        await db.execute("CREATE TABLE t(n INTEGER)");
        const tx = await db.begin({ lock: lockOf(command) });
        await tx.execute("INSERT INTO t VALUES(1)");
        Date.now = () => date() + 3_600_000;
        await assert.rejects(tx.commit(), LockLostError);
        assert.deepEqual((await db.query("SELECT * FROM t")).rows, []);
      } finally {
        Date.now = date;
        await db.close();
        engine.close();
      }
    }));

  it("asks a factory for each acquisition, and shares nothing between them (locks test 25)", () =>
    onRedis(async ({ server }) => {
      const clients: RespClient[] = [];
      const lock = lockOf(async () => {
        const client = await RespClient.connect(server.port);
        clients.push(client);
        return denoRedis(client);
      });
      const request = async (): Promise<void> => {
        const handle = await lock.acquire();
        await sleep(2);
        assert.equal(await handle.release(), true);
      };
      await Promise.all([request(), request()]);
      assert.equal(clients.length, 2);
      // As if the request that it belonged to were over.
      await Promise.all(clients.map((client) => client.close()));
      await request();
      assert.equal(clients.length, 3);
      await clients[2]!.close();
    }));

  it("waits for a factory no longer than the caller would", async () => {
    const never = lockOf(() => new Promise<RedisCommand>(() => {}));
    await assert.rejects(never.acquire({ timeout: 30 }), LockTimeoutError);
    const reason = new Error("enough");
    const controller = new AbortController();
    setTimeout(() => controller.abort(reason), 20);
    await assert.rejects(never.acquire({ signal: controller.signal }), reason);
    const failing = lockOf(() => Promise.reject(new Error("no route")));
    await assert.rejects(
      failing.acquire(),
      (error) => error instanceof LockUnavailableError && /no route/.test(error.message),
    );
    for (const made of [undefined, {}, () => {}]) {
      await assert.rejects(lockOf(() => made as unknown as RedisCommand).acquire(), TypeError);
    }
  });
});
