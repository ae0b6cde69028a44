/** The longest delay a timer takes, in milliseconds. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** One limit over all attempts of a call: the caller's signal and a point in time. */
export class Deadline {
  /** The caller's signal, if there is one. */
  readonly signal: AbortSignal | undefined;
  readonly #end: number;

  /** @param timeout Milliseconds from now. */
  constructor(timeout: number, signal?: AbortSignal) {
    this.signal = signal;
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
export async function within<T>(
  limit: number,
  signals: { abort: AbortSignal | undefined; close: AbortSignal },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const cleanups: (() => void)[] = [];
  const interrupted = new Promise<never>((_, reject) => {
    const end = (by: Interruption): void => {
      const reason = new Interrupted(by);
      // A fetch that ignores its signal must not hold the caller: reject first, then tell it.
      reject(reason);
      controller.abort(reason);
    };
    const listen = (signal: AbortSignal | undefined, by: Interruption): void => {
      if (signal === undefined) return;
      if (signal.aborted) return end(by);
      const listener = (): void => end(by);
      signal.addEventListener("abort", listener, { once: true });
      cleanups.push(() => signal.removeEventListener("abort", listener));
    };
    listen(signals.abort, "abort");
    listen(signals.close, "close");
    if (limit !== Infinity) {
      const timer = setTimeout(() => end("limit"), Math.min(limit, LONGEST_TIMER));
      cleanups.push(() => clearTimeout(timer));
    }
  });
  try {
    return await Promise.race([
      interrupted,
      controller.signal.aborted ? interrupted : work(controller.signal),
    ]);
  } finally {
    for (const cleanup of cleanups) cleanup();
  }
}
