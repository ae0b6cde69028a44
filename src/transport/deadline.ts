/** The longest delay a timer takes, in milliseconds. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** One limit over all attempts of a call: the caller's signal and a point in time. */
export class Deadline {
  /** The caller's signal, if there is one. */
  readonly signal: AbortSignal | undefined;
  #end: number;

  /** @param timeout Milliseconds from now. */
  constructor(timeout: number, signal?: AbortSignal) {
    this.signal = signal;
    this.#end = performance.now() + timeout;
  }

  /** Begins again: for who serves one call after another. @param timeout Milliseconds from now. */
  restart(timeout: number): void {
    this.#end = performance.now() + timeout;
  }

  /** Milliseconds that remain; 0 when time is up. */
  get remaining(): number {
    return Math.max(0, this.#end - performance.now());
  }
}

/** Why {@linkcode within} ended before its work did. */
export type Interruption = "limit" | "abort" | "close";

/** Thrown by {@linkcode within}; the work itself may still have failed or succeeded on the other side. */
export class Interrupted extends Error {
  override name = "Interrupted";
  /** What ended the work. */
  readonly by: Interruption;

  /** @param by What ended the work. */
  constructor(by: Interruption) {
    super(`Interrupted by ${by}`);
    this.by = by;
  }
}

/**
 * Runs `work` until it settles, `limit` milliseconds have passed, or one of the signals fires; `work` gets a
 * signal that fires in the last two cases. Timers and listeners are gone when it returns.
 *
 * @throws {Interrupted} When something else than `work` came first.
 */
export function within<T>(
  limit: number,
  { abort, close }: { abort: AbortSignal | undefined; close: AbortSignal },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (abort?.aborted) return Promise.reject(new Interrupted("abort"));
  if (close.aborted) return Promise.reject(new Interrupted("close"));
  return new Promise((resolve, reject) => {
    const controller = new AbortController();
    const end = (by: Interruption): void => {
      const reason = new Interrupted(by);
      // A fetch that ignores its signal must not hold the caller: reject first, then tell it.
      fail(reason);
      controller.abort(reason);
    };
    const onAbort = (): void => end("abort");
    const onClose = (): void => end("close");
    const timer = limit === Infinity
      ? undefined
      : setTimeout(end, Math.min(limit, LONGEST_TIMER), "limit" satisfies Interruption);
    abort?.addEventListener("abort", onAbort);
    close.addEventListener("abort", onClose);
    const cleanUp = (): void => {
      clearTimeout(timer);
      abort?.removeEventListener("abort", onAbort);
      close.removeEventListener("abort", onClose);
    };
    const fail = (error: unknown): void => {
      cleanUp();
      reject(error);
    };
    work(controller.signal).then((value) => {
      cleanUp();
      resolve(value);
    }, fail);
  });
}
