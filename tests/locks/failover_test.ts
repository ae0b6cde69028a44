// A replica takes over from the master that has a lock: who holds it then, without WAIT and with it.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { connect, type Executor, LockTimeoutError } from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import type { RedisCommand } from "../../src/locks/redis.ts";
import { until } from "../support/http.ts";
import { REDIS_KINDS, skipWithoutRedis } from "../support/redis.ts";
import { type RedisPair, startRedisPair } from "../support/redis_pair.ts";
import { lockOf } from "./redis_world.ts";
import { replicated } from "./replicated.ts";

const KEY = "rqlite:lock:a";

const plain = (pair: RedisPair): RedisCommand => {
  const send = pair.client();
  return (args, _key) => send(args);
};

const waiting = (pair: RedisPair): RedisCommand => replicated(plain(pair), 1);

/** Runs it with a server of each kind at the same time: most of it is waiting. */
async function onPairs(body: (pair: RedisPair) => Promise<void>): Promise<void> {
  await Promise.all(REDIS_KINDS.map(async (kind) => {
    const pair = await startRedisPair(kind);
    try {
      await body(pair);
    } finally {
      await pair.stop();
    }
  }));
}

const skip = REDIS_KINDS.map(skipWithoutRedis).find((reason) => reason !== false) ?? false;

describe("RedisLock whose master dies before its replica has the lock", { skip }, () => {
  it("has two holders without WAIT, and no update of theirs is lost", () =>
    onPairs(async (pair) => {
      const engine = embedded();
      const db = connect(engine);
      const second = Promise.withResolvers<void>();
      const first = Promise.withResolvers<void>();
      let runs = 0;
      const add = async (tx: Executor): Promise<void> => {
        const { rows: [row] } = await tx.query<{ n: number }>("SELECT n FROM t");
        if (++runs === 1) {
          first.resolve();
          await second.promise;
        }
        await tx.execute("UPDATE t SET n = ?", [row!.n + 1]);
      };
      try {
        await db.execute("CREATE TABLE t(n INTEGER)");
        await db.execute("INSERT INTO t VALUES(0)");
        await pair.cut();
        const handle = await lockOf(plain(pair), { leaseDuration: 60_000 }).acquire();
        const own = { name: "a", acquire: () => Promise.resolve(handle) };
        const stale = db.transaction(add, { lock: own, isolation: "none", retries: 0 });
        await first.promise;
        await pair.failOver();
        const other = await lockOf(plain(pair), { leaseDuration: 60_000 }).acquire();
        assert.deepEqual([handle.held, other.held], [true, true]);
        await db.transaction(add, {
          lock: { name: "a", acquire: () => Promise.resolve(other) },
          isolation: "none",
        });
        second.resolve();
        await assert.rejects(stale, /so nothing of it was kept/);
        await db.transaction(add, { lock: lockOf(plain(pair)), isolation: "none" });
        assert.deepEqual((await db.query("SELECT n FROM t")).rows, [{ n: 2 }]);
      } finally {
        second.resolve();
        await db.close();
        engine.close();
      }
    }));

  it("is not taken with WAIT, until a replica has it: one holder then", () =>
    onPairs(async (pair) => {
      await pair.cut();
      await assert.rejects(lockOf(waiting(pair)).acquire({ timeout: 500 }), (error) => {
        assert.ok(error instanceof LockTimeoutError);
        return error.cause !== undefined; // it is not that others held it
      });
      await until(
        "withdrawal",
        async () => await pair.master.send("GET", KEY) === null || undefined,
      );
      let [inside, most, done] = [0, 0, 0];
      const enter = async (command: RedisCommand): Promise<void> => {
        const handle = await lockOf(command).acquire({ timeout: 60_000 });
        most = Math.max(most, ++inside);
        await pair.master.send("PING");
        assert.equal(handle.held, true);
        inside--;
        done++;
        assert.equal(await handle.release(), true);
      };
      const first = enter(waiting(pair));
      // The master has given it away; nobody else has, so its client has not.
      await until("key", async () => await pair.master.send("GET", KEY) ?? undefined);
      await pair.failOver();
      const second = enter(waiting(pair));
      await pair.comeBack();
      await Promise.all([first, second]);
      assert.deepEqual({ most, done }, { most: 1, done: 2 });
    }));
});

describe("RedisLock whose master dies when its replica has the lock", { skip }, () => {
  it("is kept with WAIT", () =>
    onPairs(async (pair) => {
      const handle = await lockOf(waiting(pair), { leaseDuration: 30_000 }).acquire();
      assert.equal(await pair.replica.send("GET", KEY), handle.token);
      await pair.failOver();
      await assert.rejects(lockOf(plain(pair)).acquire({ timeout: 0 }), LockTimeoutError);
      assert.equal(handle.held, true);
      assert.equal(await handle.release(), true);
    }));
});

describe("RedisLock whose replica is cut off while it is held", { skip }, () => {
  it("is renewed without WAIT, and lost with it, as nothing would be left of a renewal", () =>
    onPairs(async (pair) => {
      const [kept, lost] = await Promise.all([
        lockOf(plain(pair), { name: "kept", leaseDuration: 6_000 }).acquire(),
        lockOf(waiting(pair), { leaseDuration: 1_500 }).acquire(),
      ]);
      await pair.cut();
      await until("loss", () => Promise.resolve(lost.signal.aborted || undefined));
      assert.match(String(lost.signal.reason), /its lease ran out/);
      const runsOut = () => pair.master.send("PEXPIRETIME", "rqlite:lock:kept");
      const before = Number(await runsOut());
      await until("renewal", async () => Number(await runsOut()) > before || undefined);
      assert.equal(kept.held, true);
      assert.equal(await kept.release(), true);
    }));
});

describe("docs/locks.md", () => {
  it("shows the command with WAIT that is tested here", async () => {
    const read = (path: string) => readFile(new URL(path, import.meta.url), "utf8");
    const [page, source] = await Promise.all([
      read("../../docs/locks.md"),
      read("./replicated.ts"),
    ]);
    const shown = source.slice(source.indexOf("export function")).replace("export ", "");
    assert.ok(page.includes(shown));
  });
});
