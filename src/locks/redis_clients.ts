/**
 * Sends one command to Redis or Valkey and answers its reply; the adapters make one of a client.
 *
 * @param args The command's name and its arguments.
 * @param key The key that it concerns, by which a cluster is routed.
 */
export type RedisCommand = (args: [string, ...string[]], key: string) => Promise<unknown>;

/**
 * Sends commands by a client of the package `@db/redis`.
 *
 * @example
 * ```ts ignore
 * import { denoRedis, RedisLock } from "@tangled/rqlite/locks/redis";
 * import { connect } from "@db/redis";
 *
 * const client = await connect({ hostname: "localhost" });
 * const lock = new RedisLock({ name: "report", command: denoRedis(client) });
 * ```
 */
export function denoRedis(
  client: { sendCommand(command: string, args: string[]): Promise<unknown> },
): RedisCommand {
  return once(client, denoRedis, ([command, ...args]) => client.sendCommand(command, args));
}

/**
 * Sends commands by a client of the package `redis`.
 *
 * @example
 * ```ts ignore
 * import { nodeRedis, RedisLock } from "@tangled/rqlite/locks/redis";
 * import { createClient } from "redis";
 *
 * const client = await createClient().connect();
 * const lock = new RedisLock({ name: "report", command: nodeRedis(client) });
 * ```
 */
export function nodeRedis(
  client: { sendCommand(args: string[]): Promise<unknown> },
): RedisCommand {
  return once(client, nodeRedis, (args) => client.sendCommand(args));
}

/** Sends commands by a cluster client of the package `redis`. */
export function nodeRedisCluster(
  client: { sendCommand(key: string, isReadonly: boolean, args: string[]): Promise<unknown> },
): RedisCommand {
  return once(client, nodeRedisCluster, (args, key) => client.sendCommand(key, false, args));
}

/** Sends commands by a client or cluster of the packages `ioredis` and `iovalkey`. */
export function ioRedis(
  client: { call(command: string, ...args: string[]): Promise<unknown> },
): RedisCommand {
  return once(client, ioRedis, (args) => client.call(...args));
}

/** Sends commands by a client or cluster client of the package `@valkey/valkey-glide`. */
export function glide(
  client: { customCommand(args: string[]): Promise<unknown> },
): RedisCommand {
  return once(client, glide, (args) => client.customCommand(args));
}

/**
 * Sends commands by a client of the package `@upstash/redis`.
 *
 * @example
 * ```ts ignore
 * import { RedisLock, upstash } from "@tangled/rqlite/locks/redis";
 * import { Redis } from "@upstash/redis/cloudflare";
 *
 * // On Workers a client must not outlive its request: so it is a factory.
 * const command = () => upstash(Redis.fromEnv(env));
 * const lock = new RedisLock({ name: "report", command });
 * ```
 */
export function upstash(
  client: { exec(args: [string, ...string[]]): Promise<unknown> },
): RedisCommand {
  return once(client, upstash, (args) => client.exec(args));
}

/** Sends commands by Bun's own `RedisClient`, which knows no cluster. */
export function bunRedis(
  client: { send(command: string, args: string[]): Promise<unknown> },
): RedisCommand {
  return once(client, bunRedis, ([command, ...args]) => client.send(command, args));
}

const COMMANDS = new WeakMap<object, Map<unknown, RedisCommand>>();

/** The same for the same client, so that its locks meet in one queue, and one that is named twice is known. */
function once(client: object, adapter: unknown, command: RedisCommand): RedisCommand {
  // What is no client shows that when it is used.
  if (Object(client) !== client) return command;
  const known = COMMANDS.get(client) ?? new Map<unknown, RedisCommand>();
  const same = known.get(adapter) ?? command;
  COMMANDS.set(client, known.set(adapter, same));
  return same;
}
