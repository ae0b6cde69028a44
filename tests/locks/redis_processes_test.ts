// A lock in Redis between processes: whose holder is killed, and whose server hands over to a replica.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { connect, LockLostError, LockTimeoutError, TransactionConflictError } from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { RedisLock } from "../../src/locks/redis.ts";
import { type ChildEngine, childEngines } from "../support/engines.ts";
import { until } from "../support/http.ts";
import { startRedisCluster } from "../support/redis_cluster.ts";
import {
  CLUSTER_CLIENTS,
  type RedisClientKind,
  type RedisConnection,
} from "../support/redis_clients.ts";
import {
  REDIS_KINDS,
  type RedisKind,
  type RedisServer,
  skipWithoutRedis,
} from "../support/redis.ts";
import { lockOf, onRedis } from "./redis_world.ts";
import { replicated } from "./replicated.ts";
import { moveSlots } from "./slots.ts";

const HOLDER = fileURLToPath(new URL("./redis_holder.ts", import.meta.url));

describe("a holder that dies", { skip: skipWithoutRedis("redis") }, () => {
  const diesOn = ({ command, args }: ChildEngine): Promise<void> =>
    onRedis(async ({ server, command: send, owner }) => {
      const lease = 1_500;
      const run = [...args, HOLDER, String(server.port), String(lease)];
      const holder = spawn(command, run, { stdio: ["ignore", "pipe", "inherit"] });
      const gone = once(holder, "exit");
      try {
        await once(holder.stdout, "data");
        const token = await owner();
        const runsOut = async () => Number(await server.send("PEXPIRETIME", "rqlite:lock:a"));
        const first = await runsOut();
        await until("renewal", async () => await runsOut() > first || undefined);
        holder.kill("SIGKILL");
        await gone;
        assert.equal(await owner(), token);
        const handle = await lockOf(send).acquire({ timeout: 20 * lease });
        assert.equal(await owner(), handle.token);
        assert.equal(await handle.release(), true);
      } finally {
        holder.kill("SIGKILL");
        await gone;
      }
    });

  it("leaves the lock when its lease runs out, on every engine (locks test 7)", async () => {
    await Promise.all(childEngines().map(diesOn));
  });
});

async function keepsLocksOnEachNode(kind: RedisKind): Promise<void> {
  const cluster = await startRedisCluster(kind);
  try {
    for (const { name, connect: open } of CLUSTER_CLIENTS) {
      const client = await open(cluster.port);
      const used = new Set<RedisServer>();
      for (let i = 0; i < 12; i++) {
        const lock = new RedisLock({ name: `${name} ${i}`, command: client.command });
        const handle = await lock.acquire();
        const master = await cluster.masterOf(`rqlite:lock:${name} ${i}`);
        assert.equal(await master.send("GET", `rqlite:lock:${name} ${i}`), handle.token);
        assert.equal(await handle.release(), true);
        used.add(master);
      }
      assert.equal(used.size, 3, name);
      await client.close();
    }
    await moveSlots(cluster);
  } finally {
    await cluster.stop();
  }
}

async function forgetsALock(kind: RedisKind): Promise<void> {
  const cluster = await startRedisCluster(kind, { replicas: 1, nodeTimeout: 500 });
  const engine = embedded();
  const [db, other] = [connect(engine), connect(engine)];
  const [{ connect: open }] = CLUSTER_CLIENTS as [RedisClientKind];
  const clients = [await open(cluster.port)];
  try {
    await db.execute("CREATE TABLE t(n INTEGER)");
    await db.execute("INSERT INTO t VALUES(0)");
    const key = "rqlite:lock:a";
    const master = await cluster.masterOf(key);
    const replica = cluster.replicas[cluster.masters.indexOf(master)]!;
    const [{ command }] = clients as [RedisConnection];
    await command(["EXISTS", key], key);
    const waiting = lockOf(replicated(command, 1));
    assert.equal(await (await waiting.acquire()).release(), true);
    // Its copy of the lock does not arrive.
    replica.pause();
    await master.send("CLIENT", "KILL", "TYPE", "replica");
    await assert.rejects(waiting.acquire({ timeout: 500 }), LockTimeoutError);
    const stale = await db.begin({ lock: lockOf(command), isolation: "none" });
    const { rows: [row] } = await stale.query<{ n: number }>("SELECT n FROM t");
    await stale.execute("UPDATE t SET n = ?", [row!.n + 1]);
    await master.kill();
    replica.resume();
    await until("takeover", async () => {
      return String(await replica.send("ROLE")).startsWith("master") || undefined;
    });
    clients.push(await open(replica.port));
    await other.transaction(async (tx) => {
      const { rows: [row] } = await tx.query<{ n: number }>("SELECT n FROM t");
      await tx.execute("UPDATE t SET n = ?", [row!.n + 1]);
    }, { lock: lockOf(clients[1]!.command), isolation: "none" });
    const refused = await stale.commit().then(() => undefined, (error) => error);
    assert.ok(
      refused instanceof LockLostError || refused instanceof TransactionConflictError,
      String(refused),
    );
    assert.deepEqual((await db.query("SELECT n FROM t")).rows, [{ n: 1 }]);
  } finally {
    await Promise.all(clients.map((client) => client.close()));
    await db.close();
    await other.close();
    engine.close();
    await cluster.stop();
  }
}

const skip = REDIS_KINDS.map(skipWithoutRedis).find((reason) => reason !== false) ?? false;
describe("clusters of redis-server and of valkey-server", { skip }, () => {
  it("keep locks on each of their nodes, and while their slots move (ASK, MOVED), by each client (locks test 3)", async () => {
    await Promise.all(REDIS_KINDS.map(keepsLocksOnEachNode));
  });

  it("that forget a lock when a replica takes over cost no update (locks test 12)", async () => {
    await Promise.all(REDIS_KINDS.map(forgetsALock));
  });
});
