import type { Executor } from "../client/executor.ts";
import type { AcquireOptions } from "./lock.ts";

/** Milliseconds that an acquisition waits by default. */
export const ACQUIRE_TIMEOUT = 10_000;

/**
 * Reads the options of one acquisition.
 *
 * @throws {TypeError|RangeError} If one of them is wrong.
 */
export function resolveAcquire(
  { timeout = ACQUIRE_TIMEOUT, signal }: AcquireOptions = {},
): { readonly timeout: number; readonly signal: AbortSignal | undefined } {
  if (typeof timeout !== "number" || !(timeout >= 0)) {
    throw new RangeError(
      `Cannot use \`timeout\` as it must be a number of milliseconds from 0 on: current value is ${
        String(timeout)
      }`,
    );
  }
  if (signal !== undefined && typeof signal?.addEventListener !== "function") {
    throw new TypeError("Cannot use `signal` as it is not an AbortSignal");
  }
  return { timeout, signal };
}

/** @throws {TypeError} If it is no lock. */
export function checkLock(lock: unknown): void {
  const { name, acquire } = (lock ?? {}) as Record<string, unknown>;
  if (typeof name === "string" && name !== "" && typeof acquire === "function") return;
  throw new TypeError(
    "Cannot use `lock` as it must be a lock, such as `new RqliteLock(…)`: it has no name or cannot be acquired",
  );
}

/** @throws {TypeError} If it cannot name a lock. */
export function checkName(name: unknown): string {
  if (typeof name === "string" && name !== "") return name;
  throw new TypeError(
    `Cannot use \`name\` as it must be text that is not empty: current value is ${
      JSON.stringify(name)
    }`,
  );
}

/** @throws {RangeError} If a lease cannot be that long. */
export function checkLease(duration: unknown): number {
  if (typeof duration === "number" && duration >= 10 && duration < 2 ** 31) return duration;
  throw new RangeError(
    `Cannot use \`leaseDuration\` as it must be a number of milliseconds from 10 on: current value is ${
      String(duration)
    }`,
  );
}

/** @throws {RangeError} If a lock cannot be held that long. */
export function checkHold(time: unknown): number {
  if (typeof time === "number" && time > 0) return time;
  throw new RangeError(
    `Cannot use \`maxHoldTime\` as it must be a positive number of milliseconds: current value is ${
      String(time)
    }`,
  );
}

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
