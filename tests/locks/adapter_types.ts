// Compiled, never run: each adapter takes the clients it is for, and no others (locks test 2).
// deno-lint-ignore-file no-unused-vars
import type { Redis as Upstash } from "@upstash/redis";
import type { GlideClient, GlideClusterClient } from "@valkey/valkey-glide";
import type { Cluster as IoCluster, Redis as IoRedis } from "ioredis";
import type { Cluster as IoValkeyCluster, Redis as IoValkey } from "iovalkey";
import type { createClient, createCluster } from "redis";
import {
  bunRedis,
  denoRedis,
  glide,
  ioRedis,
  nodeRedis,
  nodeRedisCluster,
  type RedisCommand,
  RedisLock,
  upstash,
  ValkeyLock,
} from "../../src/locks/redis.ts";

declare const redis: ReturnType<typeof createClient>;
declare const redisCluster: ReturnType<typeof createCluster>;
declare const ioredis: IoRedis;
declare const ioredisCluster: IoCluster;
declare const iovalkey: IoValkey;
declare const iovalkeyCluster: IoValkeyCluster;
declare const valkeyGlide: GlideClient;
declare const valkeyGlideCluster: GlideClusterClient;
declare const upstashRedis: Upstash;

/** As Bun declares its client: neither its types nor those of `@db/redis` are at hand here. */
declare const bunClient: {
  readonly connected: boolean;
  send(command: string, args: string[]): Promise<unknown>;
  close(): void;
};
declare const denoClient: {
  readonly isConnected: boolean;
  sendCommand(
    command: string,
    args?: (string | number | Uint8Array)[],
    options?: { returnUint8Arrays?: boolean },
  ): Promise<string | number | Uint8Array | null>;
};

const right: RedisCommand[] = [
  nodeRedis(redis),
  nodeRedisCluster(redisCluster),
  ioRedis(ioredis),
  ioRedis(ioredisCluster),
  ioRedis(iovalkey),
  ioRedis(iovalkeyCluster),
  glide(valkeyGlide),
  glide(valkeyGlideCluster),
  upstash(upstashRedis),
  bunRedis(bunClient),
  denoRedis(denoClient),
];

new RedisLock({ name: "a", command: nodeRedis(redis) });
new ValkeyLock({ name: "a", command: () => ioRedis(ioredis) });
new ValkeyLock({ name: "a", command: async () => glide(await Promise.resolve(valkeyGlide)) });
// @ts-expect-error a client is no command
new RedisLock({ name: "a", command: redis });
// @ts-expect-error a factory answers a command
new RedisLock({ name: "a", command: () => redis });
// @ts-expect-error no name
new RedisLock({ command: nodeRedis(redis) });

// @ts-expect-error another adapter's
nodeRedis(redisCluster);
// @ts-expect-error another adapter's
nodeRedis(ioredis);
// @ts-expect-error another adapter's
nodeRedis(ioredisCluster);
// @ts-expect-error another adapter's
nodeRedis(iovalkey);
// @ts-expect-error another adapter's
nodeRedis(iovalkeyCluster);
// @ts-expect-error another adapter's
nodeRedis(valkeyGlide);
// @ts-expect-error another adapter's
nodeRedis(valkeyGlideCluster);
// @ts-expect-error another adapter's
nodeRedis(upstashRedis);
// @ts-expect-error another adapter's
nodeRedis(bunClient);
// @ts-expect-error another adapter's
nodeRedis(denoClient);
// @ts-expect-error another adapter's
nodeRedisCluster(redis);
// @ts-expect-error another adapter's
nodeRedisCluster(ioredis);
// @ts-expect-error another adapter's
nodeRedisCluster(ioredisCluster);
// @ts-expect-error another adapter's
nodeRedisCluster(iovalkey);
// @ts-expect-error another adapter's
nodeRedisCluster(iovalkeyCluster);
// @ts-expect-error another adapter's
nodeRedisCluster(valkeyGlide);
// @ts-expect-error another adapter's
nodeRedisCluster(valkeyGlideCluster);
// @ts-expect-error another adapter's
nodeRedisCluster(upstashRedis);
// @ts-expect-error another adapter's
nodeRedisCluster(bunClient);
// @ts-expect-error another adapter's
nodeRedisCluster(denoClient);
// @ts-expect-error another adapter's
ioRedis(redis);
// @ts-expect-error another adapter's
ioRedis(redisCluster);
// @ts-expect-error another adapter's
ioRedis(valkeyGlide);
// @ts-expect-error another adapter's
ioRedis(valkeyGlideCluster);
// @ts-expect-error another adapter's
ioRedis(upstashRedis);
// @ts-expect-error another adapter's
ioRedis(bunClient);
// @ts-expect-error another adapter's
ioRedis(denoClient);
// @ts-expect-error another adapter's
glide(redis);
// @ts-expect-error another adapter's
glide(redisCluster);
// @ts-expect-error another adapter's
glide(ioredis);
// @ts-expect-error another adapter's
glide(ioredisCluster);
// @ts-expect-error another adapter's
glide(iovalkey);
// @ts-expect-error another adapter's
glide(iovalkeyCluster);
// @ts-expect-error another adapter's
glide(upstashRedis);
// @ts-expect-error another adapter's
glide(bunClient);
// @ts-expect-error another adapter's
glide(denoClient);
// @ts-expect-error another adapter's
upstash(redis);
// @ts-expect-error another adapter's
upstash(redisCluster);
// @ts-expect-error another adapter's
upstash(ioredis);
// @ts-expect-error another adapter's
upstash(ioredisCluster);
// @ts-expect-error another adapter's
upstash(iovalkey);
// @ts-expect-error another adapter's
upstash(iovalkeyCluster);
// @ts-expect-error another adapter's
upstash(valkeyGlide);
// @ts-expect-error another adapter's
upstash(valkeyGlideCluster);
// @ts-expect-error another adapter's
upstash(bunClient);
// @ts-expect-error another adapter's
upstash(denoClient);
// @ts-expect-error another adapter's
bunRedis(redis);
// @ts-expect-error another adapter's
bunRedis(redisCluster);
// @ts-expect-error another adapter's
bunRedis(ioredis);
// @ts-expect-error another adapter's
bunRedis(ioredisCluster);
// @ts-expect-error another adapter's
bunRedis(iovalkey);
// @ts-expect-error another adapter's
bunRedis(iovalkeyCluster);
// @ts-expect-error another adapter's
bunRedis(valkeyGlide);
// @ts-expect-error another adapter's
bunRedis(valkeyGlideCluster);
// @ts-expect-error another adapter's
bunRedis(upstashRedis);
// @ts-expect-error another adapter's
bunRedis(denoClient);
// @ts-expect-error another adapter's
denoRedis(redis);
// @ts-expect-error another adapter's
denoRedis(redisCluster);
// @ts-expect-error another adapter's
denoRedis(ioredis);
// @ts-expect-error another adapter's
denoRedis(ioredisCluster);
// @ts-expect-error another adapter's
denoRedis(iovalkey);
// @ts-expect-error another adapter's
denoRedis(iovalkeyCluster);
// @ts-expect-error another adapter's
denoRedis(valkeyGlide);
// @ts-expect-error another adapter's
denoRedis(valkeyGlideCluster);
// @ts-expect-error another adapter's
denoRedis(upstashRedis);
// @ts-expect-error another adapter's
denoRedis(bunClient);
