import type { RedisCommand } from "./redis_clients.ts";
import { tooLate } from "./queue.ts";
import { unavailable } from "./redis_refusal.ts";
import { TooSlow, within } from "./within.ts";

type Factory = () => RedisCommand | Promise<RedisCommand>;

/** A command says what it sends; a factory has nothing to be told. */
export function isFactory(command: RedisCommand | Factory): command is Factory {
  return command.length === 0;
}

/** What a factory may take where the caller's limit is over, in milliseconds: the first try is his in any case. */
const FACTORY_LIMIT = 5_000;

/** @throws {TypeError} If it sends no commands. */
export function checkCommand(command: unknown): RedisCommand | Factory {
  if (typeof command === "function") return command as RedisCommand | Factory;
  throw new TypeError(
    "Cannot use `command` as it must be what an adapter answers, such as `nodeRedis(client)`, or a function that " +
      `answers that: current value is of type ${command === null ? "null" : typeof command}`,
  );
}

/**
 * What a factory makes for one acquisition.
 *
 * @param end By `performance.now()`.
 * @throws {LockTimeoutError|LockUnavailableError} If the factory fails or takes too long; or the signal's reason.
 * @throws {TypeError} If it makes something else.
 */
export async function made(
  factory: Factory,
  name: string,
  end: number,
  signal: AbortSignal | undefined,
): Promise<RedisCommand> {
  const make = async (): Promise<unknown> => await factory();
  const remaining = end - performance.now();
  let command: unknown;
  try {
    command = await within(make(), remaining > 0 ? remaining : FACTORY_LIMIT, signal);
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof TooSlow) throw tooLate(name, error);
    throw unavailable(name, `\`command\` failed: ${String(error)}`, error);
  }
  if (typeof command === "function" && command.length > 0) return command as RedisCommand;
  throw new TypeError(
    "Cannot use `command` as it has no parameters and answers no command: it must answer what an adapter does",
  );
}
