import type { RedisCommand } from "./redis_clients.ts";
import { causeOf } from "../reason.ts";
import { tooLate, unavailable } from "./lock_errors.ts";
import { brief } from "./redis_refusal.ts";
import { TooSlow, waitAtMost } from "../time/wait_at_most.ts";

type Factory = () => RedisCommand | Promise<RedisCommand>;

/** A command says what it sends; a factory has nothing to be told. */
export function isFactory(command: RedisCommand | Factory): command is Factory {
  return command.length === 0;
}

/** What ends a prefix that any name may follow: its first occurrence in a key tells where the name begins. */
const MARK = ":lock:";

/**
 * The key of a lock. Distinct pairs never share one: without the mark, the last colon tells where the name begins.
 *
 * @throws {TypeError} If another pair could have it, too.
 */
export function redisKeyOf(prefix: string, name: string): string {
  const at = prefix.indexOf(MARK);
  const plain = at < 0 && /^$|:$/.test(prefix);
  if (at >= 0 ? at + MARK.length === prefix.length : plain && !name.includes(":")) {
    return prefix + name;
  }
  throw new TypeError(
    plain
      ? 'Cannot use `name` as a name with a colon needs a `keyPrefix` that ends in ":lock:", as the default one does, ' +
        "or another pair of the two could make the same key"
      : 'Cannot use `keyPrefix` as it must end in ":lock:" and have that nowhere else, such as "app:lock:", or in ' +
        'another ":", such as "app:", or another pair of prefix and name could make the same key',
  );
}

/** @throws {TypeError} If it limits renewals that there are none of. */
export function checkRenewal<O extends { renew?: unknown; maxHoldTime?: unknown }>(options: O): O {
  if (options.renew !== false || options.maxHoldTime === undefined) return options;
  throw new TypeError(
    "Cannot use `maxHoldTime` beside `renew: false` as a lease that is not renewed ends after `leaseDuration`: leave " +
      "one of them out",
  );
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
    command = await waitAtMost(make(), remaining > 0 ? remaining : FACTORY_LIMIT, signal);
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof TooSlow) throw tooLate(name, error);
    throw unavailable(name, `\`command\` failed: ${brief(String(error))}`, causeOf(error));
  }
  if (typeof command === "function" && command.length > 0) return command as RedisCommand;
  throw new TypeError(
    "Cannot use `command` as it has no parameters and answers no command: it must answer what an adapter does",
  );
}
