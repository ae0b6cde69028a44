import type { CallOptions, Executor } from "../calls/executor.ts";
import { RqliteLock } from "../locks/rqlite.ts";
import { Deadline } from "../time/deadline.ts";
import type { StatusOptions } from "./options.ts";

/** Milliseconds for everything, the wait for another migrator included. */
export const TIMEOUT = 60_000;

/** Milliseconds after which the lock of a migrator that died is taken over. */
const LEASE = 5_000;

/** What every request of one call is sent with: its signal, and the time that is left. */
export type Limits = () => Pick<CallOptions, "signal" | "timeout">;

/** The limits of a call that begins now. */
export function limitsOf({ signal, timeout = TIMEOUT }: StatusOptions): Limits {
  const deadline = new Deadline(timeout, signal);
  return () => ({
    ...(signal !== undefined && { signal }),
    timeout: deadline.remaining || Number.MIN_VALUE,
  });
}

/**
 * The lock of those that migrate one database.
 *
 * @param client Where it is kept.
 * @param name Those with the same one wait for each other.
 * @param timeout Milliseconds that its holder has.
 */
export function migrationLock(client: Executor, name: string, timeout: number): RqliteLock {
  return new RqliteLock({ name, client, leaseDuration: LEASE, maxHoldTime: timeout });
}
