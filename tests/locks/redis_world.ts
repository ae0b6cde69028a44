import {
  denoRedis,
  type RedisCommand,
  RedisLock,
  type RedisLockOptions,
} from "../../src/locks/redis.ts";
import { type RedisKind, type RedisServer, startRedis } from "../support/redis.ts";
import { RespClient } from "../support/resp.ts";

/** A server of the test's own, and a connection to it. */
export interface RedisWorld {
  readonly server: RedisServer;
  /** By a client that never connects again. */
  readonly command: RedisCommand;
  /** What the key of the lock "a" holds. */
  readonly owner: () => Promise<unknown>;
}

/** Runs a test on a server of its own. */
export async function onRedis(
  body: (world: RedisWorld) => Promise<void>,
  { kind = "redis", args = [] }: { kind?: RedisKind; args?: readonly string[] } = {},
): Promise<void> {
  const server = await startRedis(kind, args);
  try {
    const client = await RespClient.connect(server.port);
    const owner = (): Promise<unknown> => server.send("GET", "rqlite:lock:a");
    await body({ server, command: denoRedis(client), owner });
    await client.close();
  } finally {
    await server.stop();
  }
}

/** The lock "a". */
export function lockOf(
  command: RedisLockOptions["command"],
  options: Partial<RedisLockOptions> = {},
): RedisLock {
  return new RedisLock({ name: "a", command, ...options });
}
