/**
 * A lock that is kept in rqlite itself: a lease in a row of its own table, without another server and without trusting
 * anybody's clock.
 *
 * ```ts
 * import { connect } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 * import { RqliteLock } from "@tangled/rqlite/locks/rqlite";
 *
 * const db = connect(embedded()); // or connect("http://localhost:4001")
 * await db.execute("CREATE TABLE stock(n INTEGER)");
 * await db.execute("INSERT INTO stock VALUES(10)");
 * const lock = new RqliteLock({ name: "stock", client: db });
 * await db.transaction(async (tx) => {
 *   const { rows: [stock] } = await tx.query<{ n: number }>("SELECT n FROM stock");
 *   await tx.execute("UPDATE stock SET n = ?", [stock!.n - 1]);
 * }, { lock });
 * await db.close();
 * ```
 *
 * @module
 */

import type { CallOptions, Executor } from "../client/executor.ts";
import { checkClient, checkLease, checkName, resolveAcquire } from "./acquire_options.ts";
import { Acquisition } from "./acquisition.ts";
import { LeaseHandle } from "./lease_handle.ts";
import { LeaseRow, persist } from "./lease_row.ts";
import type { AcquireOptions, Lock, LockHandle } from "./lock.ts";
import { Queue } from "./queue.ts";
import { Watch } from "./watch.ts";

export type { AcquireOptions, BatchRelease, Lock, LockHandle } from "./lock.ts";

/** How an {@linkcode RqliteLock} is made. */
export interface RqliteLockOptions {
  /** What is locked: all that use the same name and database exclude each other. */
  name: string;
  /** Where the lease is kept; a transaction of this very client frees it within its commit. */
  client: Executor;
  /**
   * Milliseconds after which others may take the lock from a holder that has not shown itself. A holder that lives shows
   * itself every third of it, for at most a minute. @default {10000}
   */
  leaseDuration?: number;
}

const LEASE = 10_000;

/** How long a release is tried, in milliseconds: behind that the lease runs out by itself. */
const RELEASE_LIMIT = 3_000;

/** What the locks of one name and client share within a process: one of them asks at a time. */
interface Place {
  readonly queue: Queue;
  readonly watch: Watch;
}

const PLACES = new WeakMap<Executor, Map<string, Place>>();

/**
 * Mutual exclusion between everybody who uses the same rqlite database, by a lease in the table `_rqlite_lock`, which is
 * made on first use. Good for low contention, Workers, migrations: taking and freeing it are two writes of the cluster,
 * one where a transaction frees it in its commit. Like every lease it may be lost while its holder is stopped; the
 * commit of a transaction is guarded against that.
 */
export class RqliteLock implements Lock {
  /** What is locked. */
  readonly name: string;
  readonly #client: Executor;
  readonly #duration: number;
  readonly #row: LeaseRow;

  /**
   * Sends nothing.
   *
   * @throws {TypeError|RangeError} If an option is wrong.
   */
  constructor({ name, client, leaseDuration = LEASE }: RqliteLockOptions) {
    this.name = checkName(name);
    this.#client = checkClient(client);
    this.#duration = Math.ceil(checkLease(leaseDuration));
    this.#row = new LeaseRow(client, name);
  }

  /**
   * Waits until the lock is held. The lease of a holder that died is taken over once it was seen unchanged for its full
   * length.
   *
   * @throws {LockTimeoutError} If it was not to be had in time.
   * @throws {LockUnavailableError} If the database refuses it, or its client is closed.
   * @throws The signal's reason, if that fires.
   *
   * @example
   * ```ts
   * import { connect } from "@tangled/rqlite";
   * import { embedded } from "@tangled/rqlite/embedded";
   * import { RqliteLock } from "@tangled/rqlite/locks/rqlite";
   *
   * const db = connect(embedded());
   * const migrations = new RqliteLock({ name: "migrations", client: db });
   * {
   *   await using handle = await migrations.acquire({ timeout: 5_000 });
   *   await db.execute("CREATE TABLE products(id INTEGER PRIMARY KEY)");
   *   handle.throwIfLost();
   * }
   * await db.close();
   * ```
   */
  async acquire(options?: AcquireOptions): Promise<LockHandle> {
    const { timeout, signal } = resolveAcquire(options);
    signal?.throwIfAborted();
    const end = performance.now() + timeout;
    const [client, row] = [this.#client, this.#row];
    const places = placesOf(client);
    const place = places.get(this.name) ?? { queue: new Queue(), watch: new Watch() };
    places.set(this.name, place);
    const leave = await place.queue.enter(timeout, this.name, signal);
    try {
      const acquisition = new Acquisition(this.name, row, this.#duration, place.watch, signal);
      const { token, lease } = await acquisition.run(end);
      const leaveAll = (): void => {
        leave();
        if (place.queue.idle && places.get(this.name) === place) places.delete(this.name);
      };
      return new LeaseHandle({
        name: this.name,
        token,
        lease,
        free: async () => {
          const release = (options: CallOptions) => row.release(token, options);
          return await persist(release, RELEASE_LIMIT) ?? false;
        },
        freeWith: (whose) => whose === client ? row.releaseStatement(token) : undefined,
        leave: leaveAll,
      });
    } catch (error) {
      leave();
      throw error;
    }
  }
}

function placesOf(client: Executor): Map<string, Place> {
  const places = PLACES.get(client) ?? new Map<string, Place>();
  PLACES.set(client, places);
  return places;
}
