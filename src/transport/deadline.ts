import { Alarm } from "./alarm.ts";
import type { Meter } from "./meter.ts";

/** One limit over all attempts of a call: the caller's signal and a point in time. */
export class Deadline {
  /** The caller's signal, if there is one. */
  readonly signal: AbortSignal | undefined;
  /** Counts what is sent until then, if somebody wants to know. */
  readonly meter: Meter | undefined;
  #end: { at: number };

  /** @param timeout Milliseconds from now. */
  constructor(timeout: number, signal?: AbortSignal, meter?: Meter) {
    this.signal = signal;
    this.meter = meter;
    this.#end = { at: performance.now() + timeout };
  }

  /** The same limit with another signal and another meter, or without. */
  by(signal: AbortSignal | undefined, meter?: Meter): Deadline {
    const deadline = new Deadline(0, signal, meter);
    deadline.#end = this.#end;
    return deadline;
  }

  /** Begins again: for who serves one call after another. @param timeout Milliseconds from now. */
  restart(timeout: number): void {
    this.#end.at = performance.now() + timeout;
  }

  /** When it ends, on the clock of `performance.now()`. */
  get end(): number {
    return this.#end.at;
  }

  /** Milliseconds that remain; 0 when time is up. */
  get remaining(): number {
    return Math.max(0, this.#end.at - performance.now());
  }
}

/**
 * Tells those who wait that the client is closed. Workers refuse to make an `AbortController` at module scope, where
 * clients may stand, before September 2026.
 */
export class Closing {
  readonly #waiting = new Set<() => void>();
  #closed = false;

  /** Whether it was closed. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Tells everybody, once. */
  close(): void {
    this.#closed = true;
    for (const tell of this.#waiting) {
      try {
        tell();
      } catch {
        // On Workers nobody can abort what another request sent; who waits for it was told.
      }
    }
    Alarm.clear();
  }

  /** Somebody waits; the function is told until it is given to {@linkcode leave}. */
  enter(tell: () => void): void {
    this.#waiting.add(tell);
  }

  /** Nobody waits there any more. */
  leave(tell: () => void): void {
    this.#waiting.delete(tell);
  }
}

/** Why {@linkcode within} ended before its work did. */
export type Interruption = "limit" | "abort" | "close";

/** Thrown by {@linkcode within}; the work itself may still have failed or succeeded on the other side. */
export class Interrupted extends Error {
  override name = "Interrupted";
  /** What ended the work. */
  readonly by: Interruption;
  /** What the work waited for, told by a `fetch` that is sure that it has done nothing yet. */
  notBegun: string | undefined = undefined;

  /** @param by What ended the work. */
  constructor(by: Interruption) {
    super(`Interrupted by ${by}`);
    this.by = by;
  }
}

/**
 * Runs `work` until it settles, `limit` milliseconds have passed, `abort` fires or the client is closed; `work` gets a
 * signal that fires in the last three cases. Timers and listeners are gone when it returns.
 *
 * @throws {Interrupted} When something else than `work` came first.
 */
export function within<T>(
  limit: number,
  { abort, closing }: { abort: AbortSignal | undefined; closing: Closing },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (abort?.aborted) return Promise.reject(new Interrupted("abort"));
  if (closing.closed) return Promise.reject(new Interrupted("close"));
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
    const stop = limit === Infinity ? undefined : Alarm.set(limit, () => end("limit"));
    abort?.addEventListener("abort", onAbort);
    closing.enter(onClose);
    const cleanUp = (): void => {
      stop?.();
      abort?.removeEventListener("abort", onAbort);
      closing.leave(onClose);
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
