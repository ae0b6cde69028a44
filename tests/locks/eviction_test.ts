// The memory of a lock's server is full: what becomes of the lock by the server's policy.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { connect, LockLostError, LockUnavailableError } from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { until } from "../support/http.ts";
import { REDIS_KINDS, type RedisServer, skipWithoutRedis } from "../support/redis.ts";
import { lockOf, onRedis, type RedisWorld } from "./redis_world.ts";

const KEY = "rqlite:lock:a";

/** From now on it takes one megabyte more than it has. */
async function limit(server: RedisServer, policy: string): Promise<void> {
  const [, used] = /used_memory:(\d+)/.exec(String(await server.send("INFO", "memory")))!;
  await server.send("CONFIG", "SET", "maxmemory", String(Number(used) + 2 ** 20));
  await server.send("CONFIG", "SET", "maxmemory-policy", policy);
}

let written = 0;

/** Others write, until it is so. */
async function fill(server: RedisServer, enough: () => Promise<boolean>): Promise<void> {
  while (!await enough()) {
    await Promise.allSettled(
      Array.from(
        { length: 500 },
        () => server.send("SET", `other:${written++}`, "x".repeat(1_000)),
      ),
    );
  }
}

/** On a server of each kind at the same time: most of it is waiting. */
async function onBoth(body: (world: RedisWorld) => Promise<void>): Promise<void> {
  await Promise.all(REDIS_KINDS.map((kind) => onRedis(body, { kind })));
}

const skip = REDIS_KINDS.map(skipWithoutRedis).find((reason) => reason !== false) ?? false;

describe("RedisLock on a server that is full", { skip }, () => {
  for (const policy of ["allkeys-lru", "volatile-ttl"]) {
    it(`and evicts (${policy}) is lost: its holder is told and cannot commit, others take it`, () =>
      onBoth(async ({ server, command, owner }) => {
        const engine = embedded();
        const db = connect(engine);
        try {
          await db.execute("CREATE TABLE t(n INTEGER)");
          const tx = await db.begin({ lock: lockOf(command, { leaseDuration: 2_400 }) });
          await tx.execute("INSERT INTO t VALUES(1)");
          await limit(server, policy);
          await fill(server, async () => await owner() === null);
          await server.send("CONFIG", "SET", "maxmemory", "64mb");
          const next = await lockOf((args, _key) => server.send(...args)).acquire();
          await until("loss", () => Promise.resolve(tx.signal.aborted || undefined));
          assert.ok(tx.signal.reason instanceof LockLostError);
          await assert.rejects(tx.commit(), LockLostError);
          assert.deepEqual((await db.query("SELECT n FROM t")).rows, []);
          assert.equal(await next.release(), true);
        } finally {
          await db.close();
          engine.close();
        }
      }));
  }

  it("and evicts nothing (noeviction) is kept, renewed and freed; no other is to be had", () =>
    onBoth(async ({ server, command }) => {
      const handle = await lockOf(command, { leaseDuration: 4_500 }).acquire();
      await limit(server, "noeviction");
      await fill(
        server,
        () => server.send("SET", "other", "x".repeat(1_000)).then(() => false, () => true),
      );
      const before = Number(await server.send("PEXPIRETIME", KEY));
      await until("renewal", async () => {
        return Number(await server.send("PEXPIRETIME", KEY)) > before || undefined;
      });
      assert.equal(handle.held, true);
      await assert.rejects(lockOf(command, { name: "b" }).acquire(), (error) => {
        assert.ok(error instanceof LockUnavailableError);
        return /refuses it: OOM .*; its memory is full$/.test(error.message);
      });
      assert.equal(await handle.release(), true);
      assert.equal(await server.send("EXISTS", KEY), 0);
    }));
});
