import { checkFunction } from "../calls/checks.ts";
import { RqliteError, TimeoutError } from "../errors.ts";
import { type Checks, isCount, isSignal, readOptions } from "../options.ts";
import { Deadline } from "../time/deadline.ts";
import { causesOf } from "./error_causes.ts";
import { pause } from "../time/pause.ts";

/** How often {@linkcode withRetry} repeats. */
export interface RetryOptions {
  /** Runs after the first. @default {10} */
  retries?: number | undefined;
  /** Ends the waits with its own reason. */
  signal?: AbortSignal | undefined;
}

const RETRY: Checks<RetryOptions> = {
  retries: (value, name) => value === Infinity || isCount(value, name),
  signal: isSignal,
};

/** The upper ends of the waits, in milliseconds: doubled with each run. */
const FIRST_WAIT = 10;
const LONGEST_WAIT = 1000;

/**
 * Runs a function again while it throws an error with `retryable`, or one that was caused by such an error, after a
 * random wait that grows: for transactions of an ORM, which cannot run again by themselves. The function must begin a new
 * transaction each time.
 *
 * @throws {TypeError} If `fn` is no function, such as a promise that is under way already.
 * @throws What the last run threw, or the signal's reason.
 *
 * @example
 * ```ts
 * import { connect, withRetry } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 *
 * const db = connect(embedded());
 * await db.execute("CREATE TABLE visits(n INTEGER)");
 * await withRetry(async () => {
 *   await using tx = await db.begin();
 *   const { rows: [seen] } = await tx.query<{ n: number }>("SELECT count(*) AS n FROM visits");
 *   await tx.execute("INSERT INTO visits VALUES(?)", [seen!.n]);
 *   await tx.commit();
 * });
 * await db.close();
 * ```
 */
export async function withRetry<T>(
  fn: () => Promise<T>,
  options?: RetryOptions,
): Promise<T> {
  checkFunction(fn, "withRetry(async () => …)");
  const { retries = 10, signal } = readOptions(options, RETRY);
  const deadline = new Deadline(Infinity, signal);
  for (let run = 0;; run++) {
    signal?.throwIfAborted();
    try {
      return await fn();
    } catch (error) {
      if (run >= retries || !isRetryable(error)) throw error;
    }
    await pauseBeforeRetry(Math.random() * Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** run), deadline);
  }
}

/** What an error of this package has as its cause says nothing about itself. */
function isRetryable(error: unknown): boolean {
  return causesOf(error).find((one) => one instanceof RqliteError)?.retryable ?? false;
}

/**
 * Waits until the transaction may run again.
 *
 * @throws {TimeoutError} If the deadline comes first; and the reason of its signal, if that fires.
 */
export async function pauseBeforeRetry(
  milliseconds: number,
  { signal, remaining }: Deadline,
): Promise<void> {
  if (remaining <= milliseconds) {
    throw new TimeoutError("Out of time before the transaction could run again");
  }
  await pause(milliseconds, signal);
}
