// Real clients under faults: answers that get lost, servers that are away, closed and forbidden ones, wrong adapters.
import { Redis as Upstash } from "@upstash/redis";
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { connect, LockLostError, LockTimeoutError, LockUnavailableError } from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { denoRedis, glide, nodeRedis, type RedisCommand, upstash } from "../../src/locks/redis.ts";
import { sleep, until } from "../support/http.ts";
import { REDIS_CLIENTS } from "../support/redis_clients.ts";
import { startProxy } from "../support/proxy.ts";
import { startRedisPair } from "../support/redis_pair.ts";
import { startRedisProxy } from "../support/redis_proxy.ts";
import { skipWithoutRedis } from "../support/redis.ts";
import { RespClient } from "../support/resp.ts";
import { startUpstash } from "../support/upstash_server.ts";
import { lockOf, onRedis } from "./redis_world.ts";
import { replicated } from "./replicated.ts";

/** The stand-in of Upstash and our own client do not connect again. */
const RECONNECTING = REDIS_CLIENTS.filter(({ name }) => !/upstash|shape/.test(name));

const isAcquire = (request: string): boolean => request.includes("PTTL");

for (const { name, connect: open } of RECONNECTING) {
  describe(`RedisLock by ${name}`, { skip: skipWithoutRedis("redis") }, () => {
    it("is held though the answer was lost and the command sent again (locks test 4)", () =>
      onRedis(async ({ server, owner }) => {
        const proxy = await startRedisProxy(server.port);
        const client = await open(proxy.port);
        try {
          proxy.loses = (request) => isAcquire(request) && proxy.lost === 0;
          const handle = await lockOf(client.command).acquire({ timeout: 9_000 });
          assert.equal(proxy.lost, 1);
          assert.equal(await owner(), handle.token);
          assert.equal(await handle.release(), true);
          assert.equal(await owner(), null);
        } finally {
          await client.close();
          await proxy.close();
        }
      }));

    it("gives up in time while the server is away, and takes nothing when it is back (locks test 5)", () =>
      onRedis(async ({ server, owner }) => {
        const client = await open(server.port);
        try {
          await client.command(["PING"], "");
          await server.kill();
          await assert.rejects(
            lockOf(client.command).acquire({ timeout: 100 }),
            (error) => error instanceof LockTimeoutError && error.cause !== undefined,
          );
          await server.restart();
          await until("client", async () => {
            return await client.command(["PING"], "").then(() => true, () => undefined);
          });
          await until("withdrawal", async () => await owner() === null || undefined, {
            limit: 5_000,
          });
          await sleep(50);
          assert.equal(await owner(), null);
        } finally {
          await client.close();
        }
      }));

    it("takes nothing that was under way when it was aborted (locks test 6)", () =>
      onRedis(async ({ server, owner }) => {
        const client = await open(server.port);
        try {
          await client.command(["PING"], "");
          server.pause();
          const reason = new Error("enough");
          const controller = new AbortController();
          const taking = lockOf(client.command).acquire({ signal: controller.signal });
          setTimeout(() => controller.abort(reason), 50);
          await assert.rejects(taking, reason);
          server.resume();
          await until("withdrawal", async () => await owner() === null || undefined);
          await client.command(["PING"], "").catch(() => {});
          assert.equal(await owner(), null);
        } finally {
          await client.close();
        }
      }));

    it("is told when the server forgot everything; a stale commit is refused (locks test 10)", () =>
      onRedis(async ({ server }) => {
        const client = await open(server.port);
        const engine = embedded();
        const [db, other] = [connect(engine), connect(engine)];
        try {
          await db.execute("CREATE TABLE t(n INTEGER)");
          await db.execute("INSERT INTO t VALUES(0)");
          const stale = await db.begin({ lock: lockOf(client.command, { leaseDuration: 600 }) });
          await stale.query("SELECT n FROM t");
          await stale.execute("UPDATE t SET n = 100");
          await server.restart();
          const fresh = await RespClient.connect(server.port);
          await other.transaction((tx) => tx.execute("UPDATE t SET n = n + 1"), {
            lock: lockOf(denoRedis(fresh)),
          });
          await until("loss", () => Promise.resolve(stale.signal.aborted || undefined));
          assert.ok(stale.signal.reason instanceof LockLostError);
          await assert.rejects(stale.commit(), LockLostError);
          assert.deepEqual((await db.query("SELECT n FROM t")).rows, [{ n: 1 }]);
          await fresh.close();
        } finally {
          await client.close();
          await db.close();
          await other.close();
          engine.close();
        }
      }));
  });
}

describe("RedisLock by @upstash/redis", { skip: skipWithoutRedis("redis") }, () => {
  it("is held though the answer was lost and the command sent again (locks test 4)", () =>
    onRedis(async ({ server, owner }) => {
      const upstashServer = await startUpstash(server.port);
      const proxy = await startProxy(upstashServer.url);
      try {
        proxy.script("cut after request");
        const client = new Upstash({ url: proxy.url, token: "-", enableTelemetry: false });
        const handle = await lockOf(upstash(client)).acquire({ timeout: 9_000 });
        assert.deepEqual(proxy.requests.map(({ fault }) => fault), ["cut after request", "pass"]);
        assert.equal(await owner(), handle.token);
        assert.equal(await handle.release(), true);
        assert.equal(await owner(), null);
      } finally {
        await proxy.close();
        await upstashServer.stop();
      }
    }));
});

describe("RedisLock with WAIT", { skip: skipWithoutRedis("redis") }, () => {
  it("is held where a replica has it and nowhere else, by each client", async () => {
    const pair = await startRedisPair("redis");
    const clients = await Promise.all(RECONNECTING.map(async ({ name, connect: open }) => {
      const client = await open(pair.master.port);
      return { ...client, lock: lockOf(replicated(client.command, 1), { name }) };
    }));
    try {
      for (const { lock } of clients) {
        const handle = await lock.acquire();
        assert.equal(await pair.replica.send("GET", `rqlite:lock:${lock.name}`), handle.token);
        assert.equal(await handle.release(), true);
      }
      await pair.cut();
      await Promise.all(
        clients.map(({ lock }) => assert.rejects(lock.acquire({ timeout: 500 }), LockTimeoutError)),
      );
    } finally {
      await Promise.all(clients.map((client) => client.close()));
      await pair.stop();
    }
  });
});

describe("what RedisLock says", { skip: skipWithoutRedis("redis") }, () => {
  const refuses = (command: RedisCommand, message: RegExp) =>
    assert.rejects(
      lockOf(command).acquire({ timeout: 5_000 }),
      (error) => {
        assert.ok(error instanceof LockUnavailableError);
        assert.match(error.message, message);
        assert.ok(!/[\n]|redis\.call/.test(error.message), "without the command");
        return true;
      },
    );

  const closable = REDIS_CLIENTS.filter(({ name }) => !/upstash|shape/.test(name));
  for (const { name, connect: open } of closable) {
    it(`of a closed client of ${name}`, () =>
      onRedis(async ({ server }) => {
        const { command, close } = await open(server.port);
        await command(["PING"], "");
        await close();
        await refuses(command, /its client is closed/);
      }));
  }

  const forbidding: [string, string[], string[][]][] = [
    ["EVAL is renamed", ["--rename-command", "EVAL", ""], []],
    ["scripts are forbidden", [], [["ACL", "SETUSER", "default", "-@scripting"]]],
    ["the key is forbidden", [], [["ACL", "SETUSER", "default", "resetkeys", "~other:*"]]],
  ];
  for (const [what, args, commands] of forbidding) {
    for (const { name, connect: open } of REDIS_CLIENTS) {
      it(`where ${what}, by ${name}`, () =>
        onRedis(async ({ server }) => {
          for (const command of commands) await server.send(...command);
          const { command, close } = await open(server.port);
          await refuses(command, /the server forbids it.*EVAL, and GET, SET/);
          await close();
        }, { args }));
    }
  }

  it("where the key holds something else", () =>
    onRedis(async ({ server, command }) => {
      await server.send("LPUSH", "rqlite:lock:a", "1");
      await refuses(command, /the server refuses it: WRONGTYPE.*in use for something else$/);
    }));

  it("where the adapter is another client's", () =>
    onRedis(async ({ server }) => {
      const client = await RespClient.connect(server.port);
      await refuses(glide(client as never), /its client does not take .*adapter/);
      await refuses(nodeRedis(client as never), /its client does not take .*adapter/);
      const letters: RedisCommand = (args, _key) => client.send(...args[0]!);
      await refuses(letters, /unknown command 'E'.*adapter/);
      await client.close();
    }));
});
