import type { Executor } from "../calls/executor.ts";
import { RqliteLock } from "../locks/rqlite.ts";

/** Milliseconds for everything, the wait for another migrator included. */
export const TIMEOUT = 60_000;

/** Milliseconds after which the lock of a migrator that died is taken over. */
const LEASE = 5_000;

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
