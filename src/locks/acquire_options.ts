import type { Executor } from "../calls/executor.ts";
import {
  type Check,
  type Checks,
  isBoolean,
  isName,
  isSignal,
  isText,
  numeric,
  readOptions,
} from "../options.ts";
import type { AcquireOptions } from "./lock.ts";

/** Milliseconds that an acquisition waits by default. */
export const ACQUIRE_TIMEOUT = 10_000;

/**
 * Reads the options of one acquisition.
 *
 * @throws {TypeError|RangeError} If one of them is wrong.
 */
export function resolveAcquire(
  options?: AcquireOptions,
): {
  readonly timeout: number;
  readonly signal: AbortSignal | undefined;
  readonly lasting: boolean;
} {
  const { timeout = ACQUIRE_TIMEOUT, signal, lasting = false } = readOptions(options, ACQUIRE);
  return { timeout, signal, lasting };
}

/** @throws {TypeError} If it is no lock. */
export function checkLock(lock: unknown): void {
  const { name, key = name, acquire } = (lock ?? {}) as Record<string, unknown>;
  if (typeof name === "string" && name !== "" && typeof acquire === "function") {
    return isName(key, "lock.key");
  }
  throw new TypeError(
    "Cannot use `lock` as it must be a lock, such as `new RqliteLock(…)`: it has no name or cannot be acquired",
  );
}

/** @throws {TypeError} If it cannot name a lock. */
export function checkName(name: unknown): string {
  isName(name, "name");
  isWellFormed(name, "name");
  return name as string;
}

/** Text that servers keep as it is. */
export const isWellFormed: Check = (value, name) => {
  isText(value, name);
  if (!/\p{Surrogate}/u.test(value as string)) return;
  throw new TypeError(
    `Cannot use \`${name}\` as it holds half a surrogate pair, which servers do not tell from others: give whole characters`,
  );
};

/** A time to wait, in milliseconds. */
export const isWait: Check = numeric("a number of milliseconds from 0 on", (n) => n >= 0);

const ACQUIRE: Checks<AcquireOptions> = {
  timeout: isWait,
  signal: isSignal,
  lasting: isBoolean,
};

/** @throws {TypeError} If it is no client, or a transaction: nobody else would see a lease that is kept there. */
export function checkClient(client: unknown): Executor {
  const { query, execute, batch, savepoint } = (client ?? {}) as Record<string, unknown>;
  if ([query, execute, batch].some((method) => typeof method !== "function")) {
    throw new TypeError("Cannot use `client` as it must be what `connect` answers");
  }
  if (savepoint === undefined) return client as Executor;
  throw new TypeError(
    "Cannot use `client` as it is a transaction, and nobody else sees what that writes: give its client",
  );
}
