import type { Executor } from "../calls/executor.ts";
import type { SqlFragment } from "../sql/fragment.ts";

/**
 * How long and until when to wait for a lock.
 *
 * @example
 * ```ts
 * import { type AcquireOptions, LocalLock, withLock } from "@tangled/rqlite/locks";
 *
 * const stop = new AbortController(); // fired when the process is to end
 * const options: AcquireOptions = { timeout: 5_000, signal: stop.signal };
 * const report = await withLock(new LocalLock("report"), async () => await "done", options);
 * console.assert(report === "done");
 * ```
 */
export interface AcquireOptions {
  /** Milliseconds; 0 tries once, Infinity waits. @default {10000} */
  timeout?: number | undefined;
  /** Ends the wait with its own reason. */
  signal?: AbortSignal | undefined;
  /**
   * Whether it is waited for and held for long, as by a leader. A lock that was given neither `maxHoldTime` nor
   * `renew: false` is then renewed for as long as its holder lives, and one that was given no `maxRetryDelay` is asked for
   * up to half a second apart. A lock within the process has nothing of that. @default {false}
   */
  lasting?: boolean | undefined;
}

/** Mutual exclusion under a name. It is advisory: correctness comes from the guard in the commit. */
export interface Lock {
  /** What is locked. */
  readonly name: string;
  /**
   * What it is, for whoever takes several: kind, name and place as text, the same wherever it is named. They are taken in
   * the order of these texts, and two with the same one are one lock. Locks without it come first, by their names and
   * then as this process got to know them: that other processes do the same is up to whoever made them.
   */
  readonly key?: string;
  /** Waits until the lock is held. */
  acquire(options?: AcquireOptions): Promise<LockHandle>;
  /**
   * Looks who holds it, and waits for nobody. Only a lock whose waiters have to watch its holder has this: whoever takes
   * several locks looks at all of them first, so that the leases of a holder that died run out side by side.
   */
  look?(options?: AcquireOptions): Promise<void>;
}

/**
 * A lock while it is held.
 *
 * @example
 * ```ts
 * import { LocalLock, type LockHandle } from "@tangled/rqlite/locks";
 *
 * async function readAll(files: string[], handle: LockHandle): Promise<void> {
 *   for (const _file of files) {
 *     handle.throwIfLost(); // before each step that must not happen without the lock
 *     await Promise.resolve(); // one step, which `handle.signal` can end
 *   }
 * }
 *
 * const handle = await new LocalLock("import").acquire();
 * try {
 *   await readAll(["a.csv", "b.csv"], handle);
 * } finally {
 *   await handle.release(); // or `await using handle = …`
 * }
 * ```
 */
export interface LockHandle extends AsyncDisposable {
  /** What is locked. */
  readonly name: string;
  /** Who holds it. */
  readonly token: string;
  /**
   * Greater than that of whoever held the lock before, so that what is written to can refuse him. A lock in rqlite has
   * it; `undefined` where there is none, as in Redis, which may forget how far it had counted. It has nothing to do
   * with the number of a transaction, and goes back where the database is loaded from a backup by other means than
   * `load` and `boot`.
   */
  readonly fencingToken?: bigint | undefined;
  /** Whether it is still held, as far as this process knows. */
  readonly held: boolean;
  /** Fires when the lock is lost. */
  readonly signal: AbortSignal;
  /**
   * Throws unless the lock is still held.
   *
   * @throws {LockLostError} If it was lost, or this handle was released.
   */
  throwIfLost(): void;
  /** Lets go; true if this call freed it. It never throws. */
  release(): Promise<boolean>;
  /**
   * How to let go within a batch of `client`, which saves a request: only a lock that is kept in the database of that
   * very client has an answer. A transaction appends it to its commit.
   */
  releaseWith?(client: Executor): BatchRelease | undefined;
}

/** The release of a lock as part of a batch. */
export interface BatchRelease {
  /** Frees the lock if it is still held; otherwise it changes nothing. It never fails. */
  readonly statement: SqlFragment;
  /** To be called when a batch with the statement was applied. */
  applied(): void;
}
