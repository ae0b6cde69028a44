import { LockTimeoutError } from "../errors.ts";

/** Lets one after the other in, first come first served; handed over directly. */
export class Queue {
  readonly #waiting: (() => void)[] = [];
  #busy = false;
  readonly #onIdle: (() => void) | undefined;

  /** @param onIdle Called whenever the last one leaves and nobody waits. */
  constructor(onIdle?: () => void) {
    this.#onIdle = onIdle;
  }

  /**
   * Waits for the turn.
   *
   * @param limit Milliseconds; 0 does not wait.
   * @param name Of the lock, for the error.
   * @param holder What is known of whoever holds it, for the error.
   * @returns What ends the turn; calling it again does nothing.
   * @throws {LockTimeoutError} If it is not there in time; and the signal's reason, if that fires.
   */
  enter(
    limit: number,
    name: string,
    signal?: AbortSignal,
    holder?: () => string | undefined,
  ): Promise<() => void> {
    signal?.throwIfAborted();
    if (!this.#busy) {
      this.#busy = true;
      return Promise.resolve(this.#turn());
    }
    return new Promise((resolve, reject) => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const leave = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
      };
      const giveUp = (reason: unknown): void => {
        leave();
        this.#waiting.splice(this.#waiting.indexOf(enter), 1);
        reject(reason);
      };
      const enter = (): void => {
        leave();
        resolve(this.#turn());
      };
      const onAbort = (): void => giveUp(signal!.reason);
      const onLimit = (): void => giveUp(tooLate(name, undefined, holder?.()));
      this.#waiting.push(enter);
      signal?.addEventListener("abort", onAbort, { once: true });
      if (limit < 2 ** 31) timer = setTimeout(onLimit, limit);
    });
  }

  #turn(): () => void {
    let mine = true;
    return () => {
      if (!mine) return;
      mine = false;
      const next = this.#waiting.shift();
      if (next !== undefined) return next();
      this.#busy = false;
      this.#onIdle?.();
    };
  }
}

/**
 * The error of whoever waited for a lock as long as he would.
 *
 * @param cause What went wrong with whatever keeps the lock, if that was it.
 * @param holder What is known of whoever holds it.
 */
export function tooLate(name: string, cause?: unknown, holder?: string): LockTimeoutError {
  const reason = cause === undefined
    ? `others held it until the end of \`timeout\`${holder === undefined ? "" : ` (${holder})`}; ` +
      "it is not reentrant: whoever holds it must not take it again"
    : `it could not be asked for until the end of \`timeout\`: ${
      cause instanceof Error ? cause.message : String(cause)
    }`;
  return new LockTimeoutError(`Cannot take the lock ${JSON.stringify(name)} as ${reason}`, {
    lock: name,
    cause,
  });
}
