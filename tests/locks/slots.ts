// The slot of a lock moves to another node of a cluster while the lock is held and waited for.
import assert from "node:assert/strict";
import { LockTimeoutError } from "../../mod.ts";
import { RedisLock } from "../../src/locks/redis.ts";
import { until } from "../support/http.ts";
import type { RedisCluster } from "../support/redis_cluster.ts";
import { CLUSTER_CLIENTS, REDIS_CLIENTS, type RedisClientKind } from "../support/redis_clients.ts";
import type { RedisServer } from "../support/redis.ts";

const idOf = async (node: RedisServer): Promise<string> =>
  String(await node.send("CLUSTER", "MYID"));

/** What asks a node for a key of a slot that it is about to get. */
async function asking(node: RedisServer, ...args: string[]): Promise<unknown> {
  const [, answer] = await Promise.all([node.send("ASKING"), node.send(...args)]);
  return answer;
}

/** One key, renewed, waited for and handed over while its slot is on two nodes (ASK), then on the other one (MOVED). */
async function moves(cluster: RedisCluster, { name, connect }: RedisClientKind): Promise<void> {
  const key = `rqlite:lock:${name}`;
  const clients = [await connect(cluster.port), await connect(cluster.port)] as const;
  const [mine, theirs] = clients.map(({ command }) =>
    new RedisLock({ name, command, leaseDuration: 6_000 })
  ) as [RedisLock, RedisLock];
  const source = await cluster.masterOf(key);
  const target = cluster.masters.find((node) => node !== source)!;
  const slot = String(await source.send("CLUSTER", "KEYSLOT", key));
  try {
    const first = await mine.acquire();
    const next = theirs.acquire({ timeout: 60_000 });
    next.catch(() => {}); // what failed before it is awaited shall be told, and not that its client was closed then
    await target.send("CLUSTER", "SETSLOT", slot, "IMPORTING", await idOf(source));
    await source.send("CLUSTER", "SETSLOT", slot, "MIGRATING", await idOf(target));
    await source.send("MIGRATE", "127.0.0.1", String(target.port), key, "0", "5000");
    const runsOut = Number(await asking(target, "PEXPIRETIME", key));
    await until(`renewal by ${name}`, async () => {
      return Number(await asking(target, "PEXPIRETIME", key)) > runsOut || undefined;
    });
    assert.equal(await asking(target, "GET", key), first.token, name);
    assert.equal(await first.release(), true, name);
    const second = await next;
    assert.equal(await asking(target, "GET", key), second.token, name);
    const last = mine.acquire({ timeout: 60_000 });
    last.catch(() => {});
    for (const node of [target, source, ...cluster.masters]) {
      await node.send("CLUSTER", "SETSLOT", slot, "NODE", await idOf(target));
    }
    assert.equal(await target.send("GET", key), second.token, name);
    assert.equal(await second.release(), true, name);
    const third = await last;
    assert.equal(await target.send("GET", key), third.token, name);
    assert.deepEqual([second.held, third.held], [false, true], name);
    assert.equal(await third.release(), true, name);
  } finally {
    await Promise.all(clients.map((client) => client.close()));
  }
}

/** A client that knows one node only is told where the key is, and says so. */
async function knowsOneNode(cluster: RedisCluster): Promise<void> {
  const other = cluster.masters.find((node) => node.port !== cluster.port)!;
  const [{ connect }] = REDIS_CLIENTS as [RedisClientKind];
  const { command, close } = await connect(other.port);
  const moved = async (i: number): Promise<boolean> =>
    await cluster.masterOf(`rqlite:lock:${i}`) !== other;
  const name = await moved(0) ? "0" : await moved(1) ? "1" : "2";
  try {
    await assert.rejects(
      new RedisLock({ name, command }).acquire({ timeout: 0 }),
      (error) => error instanceof LockTimeoutError && /MOVED/.test(error.message),
    );
  } finally {
    await close();
  }
}

/** Locks stay what they are while their slots move, by each client that knows clusters. */
export async function moveSlots(cluster: RedisCluster): Promise<void> {
  await knowsOneNode(cluster);
  await Promise.all(CLUSTER_CLIENTS.map((client) => moves(cluster, client)));
}
