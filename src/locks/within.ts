/** What took longer than it may; whatever it was may still happen. */
export class TooSlow extends Error {
  /** "TooSlow". */
  override name = "TooSlow";
}

/**
 * Waits for a promise, but not longer than that. The promise goes on, and its failure is nobody's any more.
 *
 * @param limit Milliseconds.
 * @throws {TooSlow} If it took too long; and the signal's reason, if that fires.
 */
export function within<T>(promise: Promise<T>, limit: number, signal?: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      settle();
    };
    const onAbort = (): void => end(() => reject(signal!.reason));
    const onLimit = (): void =>
      end(() => reject(new TooSlow(`there was no answer within ${Math.round(limit)} ms`)));
    const timer = limit < 2 ** 31 ? setTimeout(onLimit, limit) : undefined;
    promise.then((value) => end(() => resolve(value)), (error) => end(() => reject(error)));
    if (signal?.aborted) return onAbort();
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
