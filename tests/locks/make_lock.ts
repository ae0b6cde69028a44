import type { Client, Lock } from "../../mod.ts";
import {
  bunRedis,
  ioRedis,
  nodeRedis,
  type RedisCommand,
  RedisLock,
} from "../../src/locks/redis.ts";
import { RqliteLock } from "../../src/locks/rqlite.ts";
import { OWN_ENGINE } from "../support/engines.ts";

/** Which lock a process uses, as it can be told to another process. */
export type LockPlan =
  & { readonly leaseDuration?: number }
  & (
    | { readonly kind: "rqlite" }
    | {
      readonly kind: "redis";
      /** Of one node of it, with a cluster. */
      readonly port: number;
      readonly cluster?: boolean;
    }
  );

/** A lock, and what closes its client. */
export interface MadeLock {
  readonly lock: Lock;
  readonly close: () => Promise<void>;
}

interface Connection {
  readonly command: RedisCommand;
  readonly close: () => Promise<void>;
}

/** What is used of Bun's own client, which only Bun has. */
interface BunClient {
  send(command: string, args: string[]): Promise<unknown>;
  close(): void;
}
const { Bun } = globalThis as { Bun?: { RedisClient: new (url: string) => BunClient } };

const nothing = (): Promise<void> => Promise.resolve();
const ignore = (): void => {};

/** Makes the lock that all processes of a test share; by another client of Redis on each engine. */
export async function makeLock(plan: LockPlan, db: Client): Promise<MadeLock> {
  const { leaseDuration } = plan;
  const options = { name: "counter", ...(leaseDuration !== undefined && { leaseDuration }) };
  switch (plan.kind) {
    case "rqlite":
      return { lock: new RqliteLock({ ...options, client: db }), close: nothing };
    case "redis": {
      const { name } = OWN_ENGINE;
      const connect = plan.cluster ? ioClusterOf : SINGLES[name];
      const { command, close } = await connect(plan.port);
      return { lock: new RedisLock({ ...options, command }), close };
    }
  }
}

async function nodeRedisOf(port: number): Promise<Connection> {
  const { createClient } = await import("redis");
  const client = createClient({ url: urlOf(port) }).on("error", ignore);
  await client.connect();
  return { command: nodeRedis(client), close: closing(() => client.destroy()) };
}

async function ioRedisOf(port: number): Promise<Connection> {
  const { Redis } = await import("ioredis");
  const client = new Redis({ port, host: "127.0.0.1" }).on("error", ignore);
  return { command: ioRedis(client), close: closing(() => client.disconnect()) };
}

function bunRedisOf(port: number): Promise<Connection> {
  const client = new Bun!.RedisClient(urlOf(port));
  return Promise.resolve({ command: bunRedis(client), close: closing(() => client.close()) });
}

/** On every engine, as the package `redis` waits for ever for a node that is gone. */
async function ioClusterOf(port: number): Promise<Connection> {
  const { Cluster } = await import("ioredis");
  const client = new Cluster([{ host: "127.0.0.1", port }]).on("error", ignore);
  return { command: ioRedis(client), close: closing(() => client.disconnect()) };
}

const SINGLES = { deno: nodeRedisOf, node: ioRedisOf, bun: bunRedisOf };

function closing(close: () => void): () => Promise<void> {
  return () => Promise.resolve(close());
}

function urlOf(port: number): string {
  return `redis://127.0.0.1:${port}`;
}
