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

import { INSPECT, shown } from "../calls/shown.ts";
import type { Executor } from "../calls/executor.ts";
import { type Checks, isTimeout, readOptions } from "../options.ts";
import { checkClient, checkName, resolveAcquire } from "./acquire_options.ts";
import { Acquisition, REQUEST_LIMIT } from "./rqlite_acquisition.ts";
import { databaseOf, HOLDER, keyOf } from "./identity.ts";
import { acquireInTurn } from "./lease_handle.ts";
import { isLease, isRetryDelay, type Limits, limitsOf } from "./limits.ts";
import type { AcquireOptions, Lock, LockHandle } from "./lock.ts";
import { mayPass, tooLate } from "./lock_errors.ts";
import { observe, placeOf } from "./rqlite_places.ts";
import { LeaseRow } from "./rqlite_row.ts";
import { persist, RELEASE_LIMIT } from "./tries.ts";

export type { AcquireOptions, BatchRelease, Lock, LockHandle } from "./lock.ts";

/**
 * How an {@linkcode RqliteLock} is made.
 *
 * @example
 * ```ts
 * import { connect } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 * import { RqliteLock, type RqliteLockOptions } from "@tangled/rqlite/locks/rqlite";
 *
 * const client = connect(embedded());
 * const patient: RqliteLockOptions = { name: "report", client, leaseDuration: 30_000, maxRetryDelay: 500 };
 * console.assert(new RqliteLock(patient).name === "report");
 * await client.close();
 * ```
 */
export interface RqliteLockOptions {
  /** What is locked: all that use the same name and database exclude each other. */
  name: string;
  /** Where the lease is kept; a transaction of this very client frees it within its commit. */
  client: Executor;
  /**
   * Milliseconds after which others may take the lock from a holder that has not shown itself. A holder that lives shows
   * itself every third of it, for at most `maxHoldTime`. The default leaves whoever waits by default, for 10 seconds, time
   * to follow a holder that died. @default {6000}
   */
  leaseDuration?: number | undefined;
  /**
   * Milliseconds for which it shows itself: one that hangs loses the lock then. Infinity is for ever, and the default of
   * a leader. @default {60000}
   */
  maxHoldTime?: number | undefined;
  /** Milliseconds between two looks at who holds it, at most; 500 by default for who wants to lead. @default {50} */
  maxRetryDelay?: number | undefined;
}

const LOCK: Checks<RqliteLockOptions> = {
  name: checkName,
  client: checkClient,
  leaseDuration: isLease,
  maxHoldTime: isTimeout,
  maxRetryDelay: isRetryDelay,
};

const LEASE = 6_000;
const USUAL: Limits = { maxHoldTime: 60_000, maxRetryDelay: 50 };

/**
 * Mutual exclusion between everybody who uses the same rqlite database, by a lease in the table `_rqlite_lock`, which is
 * made on first use. Good for low contention, Workers, migrations: taking and freeing it are two writes of the cluster,
 * one where a transaction frees it in its commit. Like every lease it may be lost while its holder is stopped; the
 * commit of a transaction is guarded against that.
 *
 * @example
 * ```ts
 * import { connect } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 * import { RqliteLock } from "@tangled/rqlite/locks/rqlite";
 *
 * const db = connect(embedded());
 * const lock = new RqliteLock({ name: "setup", client: db });
 * {
 *   await using handle = await lock.acquire({ timeout: 5_000 });
 *   await db.execute("CREATE TABLE products(id INTEGER PRIMARY KEY)");
 *   handle.throwIfLost();
 * }
 * await db.close();
 * ```
 */
export class RqliteLock implements Lock {
  /** What is locked. */
  readonly name: string;
  /**
   * What it is, for whoever takes several locks: kind, name and place as text. The place is the addresses that the client
   * was given; with a `fetch` of its own that function, too, so that two clients which share neither count as two databases.
   */
  readonly key: string;
  readonly #client: Executor;
  readonly #duration: number;
  readonly #limits: Pick<RqliteLockOptions, keyof Limits>;
  readonly #row: LeaseRow;

  /**
   * Sends nothing.
   *
   * @throws {TypeError|RangeError} If an option is wrong.
   */
  constructor(options: RqliteLockOptions) {
    const { name, client, leaseDuration = LEASE, ...limits } = readOptions(options, LOCK);
    this.name = checkName(name);
    this.#client = checkClient(client);
    this.key = keyOf("rqlite", name, databaseOf(client));
    this.#duration = Math.ceil(leaseDuration);
    this.#limits = limits;
    this.#row = new LeaseRow(client, name);
  }

  /**
   * Waits until the lock is held. The lease of a holder that died is taken over once it was seen unchanged for its full
   * length: by this attempt and earlier ones of this client, so that short attempts get there, too.
   *
   * @throws {LockTimeoutError} If it was not to be had in time; it says since when the holder has shown no sign of life.
   * @throws {LockUnavailableError} If the database refuses it, or its client is closed.
   * @throws The signal's reason, if that fires.
   */
  async acquire(options?: AcquireOptions): Promise<LockHandle> {
    const { timeout, signal, lasting } = resolveAcquire(options);
    signal?.throwIfAborted();
    const end = performance.now() + timeout;
    const [client, row] = [this.#client, this.#row];
    const terms = { duration: this.#duration, ...limitsOf(this.#limits, lasting, USUAL) };
    const { queue, watch } = placeOf(client, this.name);
    const turn = await queue.enter(
      timeout,
      () => tooLate(this.name, undefined, watch.told),
      signal,
    );
    return await acquireInTurn(turn, async () => {
      const acquisition = new Acquisition(this.name, row, terms, watch, turn, signal);
      const { token, version, lease } = await acquisition.run(timeout, end);
      const release = (timeout: number) => row.release(token, { timeout });
      return {
        name: this.name,
        token,
        fencingToken: BigInt(version),
        lease,
        free: async () => await persist(release, RELEASE_LIMIT, mayPass) ?? false,
        freeWith: (whose) => whose === client ? row.releaseStatement(token) : undefined,
      };
    });
  }

  /** Looks who holds it, and waits for nobody: from then on it is known how long he has shown no sign of life. */
  async look(options?: AcquireOptions): Promise<void> {
    await this[HOLDER](options);
  }

  /** The token of whoever holds it, `null` if nobody does. */
  async [HOLDER](options?: AcquireOptions): Promise<unknown> {
    const { timeout, signal } = resolveAcquire(options);
    const asked = performance.now();
    const limit = timeout > 0 ? Math.min(timeout, REQUEST_LIMIT) : REQUEST_LIMIT;
    const seen = await this.#row.read(() => ({
      timeout: Math.max(1, asked + limit - performance.now()),
      ...(signal !== undefined && { signal }),
    }));
    observe(this.#client, this.name, seen, asked);
    return seen.owner;
  }

  /** How it is printed. */
  [INSPECT](): string {
    return shown("RqliteLock", { name: this.name });
  }
}
