import { CallTimer } from "./call_timer.ts";
import type { Closing } from "./closing.ts";

/** Why {@linkcode within} ended before its work did. */
export type Interruption = "limit" | "abort" | "close";

/** Thrown by {@linkcode within}; the work itself may still have failed or succeeded on the other side. */
export class Interrupted extends Error {
  /** "Interrupted". */
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
    const stop = limit === Infinity ? undefined : CallTimer.set(limit, () => end("limit"));
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
