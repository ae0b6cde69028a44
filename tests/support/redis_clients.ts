import { Redis as Upstash } from "@upstash/redis";
import { GlideClient, GlideClusterClient, Logger } from "@valkey/valkey-glide";
import { Redis as IoRedis } from "ioredis";
import { Redis as IoValkey } from "iovalkey";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { createClient, createCluster } from "redis";
import {
  bunRedis,
  denoRedis,
  glide,
  ioRedis,
  nodeRedis,
  nodeRedisCluster,
  type RedisCommand,
  upstash,
} from "../../src/locks/redis.ts";
import { RespClient } from "./resp.ts";
import { startUpstash } from "./upstash_server.ts";

Logger.init("off"); // it writes every error of a server to the console

/** A client of some package, connected, behind the adapter for it. */
export interface RedisConnection {
  readonly command: RedisCommand;
  close(): void | Promise<void>;
}

/** A package that can connect. */
export interface RedisClientKind {
  readonly name: string;
  /** A single server's port, or that of a node of a cluster. */
  connect(port: number): Promise<RedisConnection>;
}

const NOTHING = (): void => {};

/** What a test uses of Bun's own client, which only Bun has. */
interface BunClient {
  send(command: string, args: string[]): Promise<unknown>;
  close(): void;
}
const { Bun } = globalThis as { Bun?: { RedisClient: new (url: string) => BunClient } };

const url = (port: number): string => `redis://127.0.0.1:${port}`;

const redis: RedisClientKind = {
  name: "redis",
  async connect(port) {
    const client = createClient({ url: url(port) }).on("error", NOTHING);
    await client.connect();
    return { command: nodeRedis(client), close: () => client.destroy() };
  },
};

const ioredis: RedisClientKind = {
  name: "ioredis",
  async connect(port) {
    const client = new IoRedis({ port, host: "127.0.0.1", lazyConnect: true }).on("error", NOTHING);
    await client.connect();
    return { command: ioRedis(client), close: () => client.disconnect() };
  },
};

const iovalkey: RedisClientKind = {
  name: "iovalkey",
  async connect(port) {
    const client = new IoValkey({ port, host: "127.0.0.1", lazyConnect: true });
    client.on("error", NOTHING);
    await client.connect();
    return { command: ioRedis(client), close: () => client.disconnect() };
  },
};

/** Where its core makes a socket for each process, which it leaves there. */
const GLIDE_FOLDER = "/tmp";

function removeSockets(isUnused: (pid: number) => boolean): void {
  for (const name of readdirSync(GLIDE_FOLDER)) {
    const pid = /^glide-socket-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && isUnused(Number(pid))) {
      rmSync(join(GLIDE_FOLDER, name), { force: true });
    }
  }
}

/** All test files of one `deno test` are one process, of which none is the last; so the next run cleans up. */
if ("Deno" in globalThis) removeSockets((pid) => !existsSync(`/proc/${pid}`));
else process.once("exit", () => removeSockets((pid) => pid === process.pid));

const valkeyGlide: RedisClientKind = {
  name: "glide",
  async connect(port) {
    const client = await GlideClient.createClient({ addresses: [{ host: "127.0.0.1", port }] });
    return { command: glide(client), close: () => client.close() };
  },
};

const upstashRedis: RedisClientKind = {
  name: "@upstash/redis",
  async connect(port) {
    const server = await startUpstash(port);
    const client = new Upstash({ url: server.url, token: "-", enableTelemetry: false });
    return { command: upstash(client), close: server.stop };
  },
};

/** The shape of the client of `@db/redis`. */
const denoShape: RedisClientKind = {
  name: "the shape of @db/redis",
  async connect(port) {
    const client = await RespClient.connect(port);
    return { command: denoRedis(client), close: () => client.close() };
  },
};

const bun: RedisClientKind = {
  name: "Bun.RedisClient",
  connect(port) {
    const client = new Bun!.RedisClient(url(port));
    return Promise.resolve({ command: bunRedis(client), close: () => client.close() });
  },
};

/** All that this engine can run. */
export const REDIS_CLIENTS: readonly RedisClientKind[] = [
  ...[redis, ioredis, iovalkey, valkeyGlide, upstashRedis, denoShape],
  ...("bun" in process.versions ? [bun] : []),
];

/** Those of them that know clusters. */
export const CLUSTER_CLIENTS: readonly RedisClientKind[] = [
  {
    name: "redis",
    async connect(port) {
      const client = createCluster({ rootNodes: [{ url: url(port) }] }).on("error", NOTHING);
      await client.connect();
      return { command: nodeRedisCluster(client), close: () => client.destroy() };
    },
  },
  {
    name: "ioredis",
    async connect(port) {
      const { Cluster } = await import("ioredis");
      const client = new Cluster([{ host: "127.0.0.1", port }]).on("error", NOTHING);
      return { command: ioRedis(client), close: () => client.disconnect() };
    },
  },
  {
    name: "iovalkey",
    async connect(port) {
      const { Cluster } = await import("iovalkey");
      const client = new Cluster([{ host: "127.0.0.1", port }]);
      client.on("error", NOTHING);
      return { command: ioRedis(client), close: () => client.disconnect() };
    },
  },
  {
    name: "glide",
    async connect(port) {
      const addresses = [{ host: "127.0.0.1", port }];
      const client = await GlideClusterClient.createClient({ addresses });
      return { command: glide(client), close: () => client.close() };
    },
  },
];
