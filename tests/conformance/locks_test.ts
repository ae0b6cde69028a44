// Every lock, by every client that can keep it, does the same.
import { connect } from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { LocalLock, type Lock } from "../../src/locks/mod.ts";
import { RedisLock, ValkeyLock } from "../../src/locks/redis.ts";
import { RqliteLock } from "../../src/locks/rqlite.ts";
import { CLUSTER_CLIENTS, REDIS_CLIENTS, type RedisClientKind } from "../support/redis_clients.ts";
import { startRedisCluster } from "../support/redis_cluster.ts";
import { REDIS_KINDS, type RedisKind, skipWithoutRedis, startRedis } from "../support/redis.ts";
import { lockSuite, type LockTarget, type LockWorld } from "./lock_suite.ts";

const local: LockTarget = {
  name: "LocalLock",
  skip: false,
  leases: false,
  open: () => {
    const locks = new Map<string, Lock>();
    const lock = (name: string): Lock => {
      const found = locks.get(name) ?? new LocalLock(name);
      locks.set(name, found);
      return found;
    };
    const steal = () => Promise.reject(new Error("It cannot be lost"));
    return Promise.resolve({ lock, elsewhere: lock, steal, close: () => Promise.resolve() });
  },
};

const inRqlite: LockTarget = {
  name: "RqliteLock",
  skip: false,
  leases: true,
  open: () => {
    const engine = embedded();
    const [db, other] = [connect(engine), connect(engine)];
    const steal = "UPDATE _rqlite_lock SET owner = NULL, version = version + 1 WHERE name = ?";
    return Promise.resolve({
      lock: (name, settings) => new RqliteLock({ name, client: db, ...settings }),
      elsewhere: (name, settings) => new RqliteLock({ name, client: other, ...settings }),
      steal: (name) => other.execute(steal, [name]),
      close: async () => {
        await db.close();
        await other.close();
        engine.close();
      },
    });
  },
};

/** Two connections to one server. */
async function openRedis(
  { connect }: RedisClientKind,
  Kind: typeof RedisLock,
  start: () => Promise<{ port: number; stop(): Promise<void> }>,
): Promise<LockWorld> {
  const server = await start();
  const [one, two] = [await connect(server.port), await connect(server.port)];
  return {
    lock: (name, settings) => new Kind({ name, command: one.command, ...settings }),
    elsewhere: (name, settings) => new Kind({ name, command: two.command, ...settings }),
    steal: (name) => two.command(["DEL", `rqlite:lock:${name}`], `rqlite:lock:${name}`),
    close: async () => {
      await one.close();
      await two.close();
      await server.stop();
    },
  };
}

const LOCKS = { redis: RedisLock, valkey: ValkeyLock };

function onServer(kind: RedisKind, client: RedisClientKind): LockTarget {
  return {
    name: `${LOCKS[kind].name} by ${client.name}`,
    skip: skipWithoutRedis(kind),
    leases: true,
    open: () => openRedis(client, LOCKS[kind], () => startRedis(kind)),
  };
}

function onCluster(kind: RedisKind, client: RedisClientKind): LockTarget {
  return {
    name: `${LOCKS[kind].name} in a cluster by ${client.name}`,
    skip: skipWithoutRedis(kind),
    leases: true,
    open: () => openRedis(client, LOCKS[kind], () => startRedisCluster(kind)),
  };
}

const targets = [
  local,
  inRqlite,
  ...REDIS_KINDS.flatMap((kind) => REDIS_CLIENTS.map((client) => onServer(kind, client))),
  ...CLUSTER_CLIENTS.map((client) => onCluster("redis", client)),
];
for (const target of targets) lockSuite(target);
