import type { RedisCommand } from "./redis_clients.ts";
import { tooLate } from "./queue.ts";
import { unavailable } from "./redis_refusal.ts";
import { TooSlow, within } from "./within.ts";

type CommandOption = RedisCommand | (() => RedisCommand | Promise<RedisCommand>);

/** What a factory may take where the caller's limit is over, in milliseconds: the first try is his in any case. */
const FACTORY_LIMIT = 5_000;

/** @throws {TypeError} If it sends no commands. */
export function checkCommand(command: unknown): CommandOption {
  if (typeof command === "function") return command as CommandOption;
  throw new TypeError(
    "Cannot use `command` as it must be what an adapter answers, such as `nodeRedis(client)`, or a function that " +
      `answers that: current value is of type ${command === null ? "null" : typeof command}`,
  );
}

/** @throws {TypeError} If it is no text. */
export function checkKeyPrefix(prefix: unknown): string {
  if (typeof prefix === "string") return prefix;
  throw new TypeError(
    `Cannot use \`keyPrefix\` as it must be text: current value is ${String(prefix)}`,
  );
}

/** @throws {RangeError} If nothing can be held that long. */
export function checkMaxHoldTime(time: unknown): number {
  if (typeof time === "number" && time > 0) return time;
  throw new RangeError(
    `Cannot use \`maxHoldTime\` as it must be a number of milliseconds above 0: current value is ${
      String(time)
    }`,
  );
}

/** @throws {RangeError} If nobody can wait that long. */
export function checkMaxRetryDelay(delay: unknown): number {
  if (typeof delay === "number" && delay >= 1 && delay < 2 ** 31) return delay;
  throw new RangeError(
    `Cannot use \`maxRetryDelay\` as it must be a number of milliseconds from 1 on: current value is ${
      String(delay)
    }`,
  );
}

/**
 * The command, or the one that a factory makes for this acquisition.
 *
 * @param end By `performance.now()`.
 * @throws {LockTimeoutError|LockUnavailableError} If the factory fails or takes too long; or the signal's reason.
 * @throws {TypeError} If it makes something else.
 */
export async function commandOf(
  option: CommandOption,
  name: string,
  end: number,
  signal: AbortSignal | undefined,
): Promise<RedisCommand> {
  if (option.length > 0) return option as RedisCommand;
  const make = async (): Promise<unknown> => await (option as () => unknown)();
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
