import { checkFunction } from "../calls/checks.ts";
import { pause } from "../time/pause.ts";
import { LockTimeoutError } from "../errors.ts";
import { checkLock } from "../locks/acquire_options.ts";
import { mayPass } from "../locks/lock_errors.ts";
import type { Lock, LockHandle } from "../locks/lock.ts";
import { type Checks, isSignal, readOptions } from "../options.ts";

/** Waits between two campaigns of a lock that gave up by itself, in milliseconds: at random, up to a limit that doubles. */
const FIRST_WAIT = 20;
const LONGEST_WAIT = 2_000;

/** Longer than anybody waits, and as long as a timer can be set, in milliseconds. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** How {@linkcode lead} runs. */
export interface LeadOptions {
  /** Ends it with its own reason: in the campaign at once, else when the function has ended. */
  signal?: AbortSignal | undefined;
}

/** What the function of {@linkcode lead} gets while this process leads. */
export interface Leadership {
  /**
   * Fires when the lease is lost, with a `LockLostError`, and when the signal of the options does, with its reason. The
   * function has to end then: until it has, nobody campaigns in its place.
   */
  readonly signal: AbortSignal;
  /**
   * The number of this leadership, greater than that of every leader before: what each write has to bring along, so
   * that one that comes late is refused. It is the `fencingToken` of the lock's handle; `undefined` where the lock has
   * none.
   */
  readonly fencingToken: bigint | undefined;
  /**
   * Asks the clocks whether this process still leads, for what no token can guard: behind a pause that function may run
   * before the signal fires.
   *
   * @throws {LockLostError} If the lease ran out or was lost.
   * @throws The reason of the options' signal, if that has fired.
   */
  readonly throwIfLost: () => void;
}

const LEAD: Checks<LeadOptions> = { signal: isSignal };

/**
 * Runs a function while this process leads. It campaigns for the lock, runs the function once it has it, steps aside
 * where the lease is lost, and campaigns again when the function has ended: until that ends by itself.
 *
 * - A function that returns while it leads is done: the lock is freed, others lead, and this resolves.
 * - One that throws while it leads makes this reject with what it threw, when the lock is freed.
 * - What it returns or throws when the lease is lost is part of stepping aside: it runs again when it leads again.
 * - Where the lock's server cannot be reached, it is tried until it can.
 *
 * A lease is a good guess: a leader that was stopped for longer goes on for a moment, beside the next one. So let what it
 * writes be refused by the token, `UPDATE … WHERE token <= ?`.
 *
 * @param lock A lease that several processes share, such as an `RqliteLock`. A `LocalLock` is never lost, and leads within
 * the process.
 * @throws {LockUnavailableError} If what keeps the lock refuses it, as with a wrong password, or its client is closed.
 * @throws {TypeError} If an argument is wrong.
 * @throws What the function throws while it leads, or the signal's reason if that fires.
 *
 * @example
 * ```ts
 * import { connect } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 * import { lead } from "@tangled/rqlite/lead";
 * import { RqliteLock } from "@tangled/rqlite/locks/rqlite";
 *
 * const db = connect(embedded()); // or connect("http://localhost:4001")
 * await db.execute("CREATE TABLE job(token INTEGER NOT NULL, runs INTEGER NOT NULL)");
 * await db.execute("INSERT INTO job VALUES(0, 0)");
 * const lock = new RqliteLock({ name: "job", client: db });
 * await lead(lock, async ({ signal, fencingToken }) => {
 *   for (let round = 0; round < 3 && !signal.aborted; round++) {
 *     const { rowsAffected } = await db.execute(
 *       "UPDATE job SET token = :token, runs = runs + 1 WHERE token <= :token",
 *       { token: fencingToken! },
 *     );
 *     if (rowsAffected === 0) throw new Error("Another process leads");
 *   }
 * });
 * console.assert(await db.value("SELECT runs FROM job") === 3);
 * await db.close();
 * ```
 */
export async function lead(
  lock: Lock,
  fn: (leadership: Leadership) => Promise<void>,
  options?: LeadOptions,
): Promise<void> {
  checkLock(lock);
  checkFunction(fn, "lead(lock, async ({ signal }) => …)");
  const { signal } = readOptions(options, LEAD);
  let done = false;
  while (!done) done = await serve(await campaign(lock, signal), fn, signal);
}

/** Waits until this process leads. */
async function campaign(lock: Lock, signal: AbortSignal | undefined): Promise<LockHandle> {
  for (let limit = FIRST_WAIT;; limit = Math.min(2 * limit, LONGEST_WAIT)) {
    signal?.throwIfAborted();
    try {
      return await lock.acquire({ timeout: Infinity, lasting: true, ...(signal && { signal }) });
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof LockTimeoutError || mayPass(error))) throw error;
    }
    await pause(Math.random() * limit, signal);
  }
}

/** Runs the function once, and frees the lock; whether it has ended by itself. */
async function serve(
  handle: LockHandle,
  fn: (leadership: Leadership) => Promise<void>,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const end = AbortSignal.any([handle.signal, ...(signal ? [signal] : [])]);
  const leads = (): boolean => !end.aborted && handle.held;
  // The timers of a lease keep no process alive, and a function that waits for its signal has no others.
  const alive = setInterval(() => {}, LONGEST_TIMER);
  try {
    if (!leads()) return false;
    await fn({
      signal: end,
      fencingToken: handle.fencingToken,
      throwIfLost: () => {
        end.throwIfAborted();
        handle.throwIfLost();
      },
    });
    return leads();
  } catch (error) {
    if (leads()) throw error;
    return false;
  } finally {
    clearInterval(alive);
    await handle.release();
  }
}
