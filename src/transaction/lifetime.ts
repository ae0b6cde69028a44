import { TimeoutError } from "../errors.ts";
import type { Deadline } from "../transport/deadline.ts";

/** What ends a transaction from outside: the caller's signal, its deadline, and the loss of its lock. */
export class Lifetime {
  readonly #controller = new AbortController();
  readonly #cleanups: (() => void)[] = [];
  readonly #onAbort: () => void;

  /** @param onAbort Called when one of them came first. */
  constructor(deadline: Deadline, lost: AbortSignal | undefined, onAbort: () => void) {
    this.#onAbort = onAbort;
    this.#follow(deadline.signal);
    this.#follow(lost);
    const { remaining } = deadline;
    // Longer than any timer; the requests have the same deadline anyway.
    if (remaining >= 2 ** 31) return;
    const timer = setTimeout(() => {
      this.#abort(new TimeoutError("The transaction took too long: nothing was kept"));
    }, remaining);
    this.#cleanups.push(() => clearTimeout(timer));
  }

  /** Fires with the reason of what came first. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Leaves nothing behind; the signal does not fire any more. */
  end(): void {
    for (const cleanUp of this.#cleanups.splice(0)) cleanUp();
  }

  #follow(signal: AbortSignal | undefined): void {
    if (signal === undefined) return;
    const abort = (): void => this.#abort(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    this.#cleanups.push(() => signal.removeEventListener("abort", abort));
  }

  #abort(reason: unknown): void {
    this.#controller.abort(reason);
    this.#onAbort();
  }
}
