import { HolderTimer } from "./holder_timer.ts";

/** What took longer than it may; whatever it was may still happen. */
export class TooSlow extends Error {
  /** "TooSlow". */
  override name = "TooSlow";
}

/**
 * Waits for a promise, but not longer than that. The promise goes on, and its failure is nobody's any more.
 *
 * @param limit Milliseconds.
 * @param timer To be used for that, and left to the caller to clear.
 * @throws {TooSlow} If it took too long; and the signal's reason, if that fires.
 */
export function waitAtMost<T>(
  promise: Promise<T>,
  limit: number,
  signal?: AbortSignal,
  timer?: HolderTimer,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const own = timer ?? new HolderTimer();
    const end = (settle: () => void): void => {
      if (timer === undefined) own.clear();
      else own.drop(onLimit);
      signal?.removeEventListener("abort", onAbort);
      settle();
    };
    const onAbort = (): void => end(() => reject(signal?.reason));
    const onLimit = (): void =>
      end(() => reject(new TooSlow(`there was no answer within ${Math.round(limit)} ms`)));
    if (limit < 2 ** 31) own.set(limit, onLimit, false);
    promise.then((value) => end(() => resolve(value)), (error) => end(() => reject(error)));
    if (signal?.aborted) return onAbort();
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
