import { TimeoutError } from "../errors.ts";
import type { Deadline } from "../time/deadline.ts";

/** What ends a transaction from outside: the caller's signal, its deadline, and the loss of its lock. */
export class Lifetime {
  readonly #controller = new AbortController();
  readonly #cleanups: (() => void)[] = [];
  readonly #deadline: Deadline;
  readonly #renewal: number | undefined;
  readonly #onAbort: () => void;
  #timed = false;
  #ended = false;

  /**
   * @param renewal How long after each statement the deadline is; `undefined` if one holds for all of them.
   * @param lost Fires when the lock is lost; `undefined` without a lock.
   * @param onAbort Called when one of them came first.
   */
  constructor(
    deadline: Deadline,
    renewal: number | undefined,
    lost: AbortSignal | undefined,
    onAbort: () => void,
  ) {
    this.#deadline = deadline;
    this.#renewal = renewal;
    this.#onAbort = onAbort;
    this.#follow(deadline.signal);
    this.#follow(lost);
    if (lost !== undefined) this.#startTimer();
  }

  /** Fires with the reason of what came first. */
  get signal(): AbortSignal {
    // Only for those who look: a timer would keep the process of an abandoned transaction alive.
    this.#startTimer();
    return this.#controller.signal;
  }

  /** What came first, if something did. */
  get reason(): unknown {
    return this.#controller.signal.reason;
  }

  /** Whether one of them came already. */
  get aborted(): boolean {
    return this.#controller.signal.aborted;
  }

  /** Throws the reason of what came first, if something did. */
  throwIfAborted(): void {
    this.#controller.signal.throwIfAborted();
  }

  /**
   * A statement begins. Throws the reason of what came first, if something did.
   *
   * @param timeout The statement's own, in milliseconds.
   * @param alone No other one is under way, whose time may be longer.
   */
  renew(timeout: number, alone: boolean): void {
    this.throwIfAborted();
    if (this.#renewal === undefined) return;
    const limit = Math.max(timeout, this.#renewal);
    if (alone || limit > this.#deadline.remaining) this.#deadline.restart(limit);
  }

  /** Leaves nothing behind; the signal does not fire any more. */
  end(): void {
    this.#ended = true;
    for (const cleanUp of this.#cleanups.splice(0)) cleanUp();
  }

  #startTimer(): void {
    const { remaining } = this.#deadline;
    // Longer than any timer; the requests have the same deadline anyway.
    if (
      this.#renewal !== undefined || this.#timed || this.#ended || this.aborted ||
      remaining >= 2 ** 31
    ) return;
    this.#timed = true;
    const timer = setTimeout(() => {
      this.#abort(new TimeoutError("The transaction took too long: nothing was kept"));
    }, remaining);
    this.#cleanups.push(() => clearTimeout(timer));
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
    // Not at once: a signal that has fired already does so while the transaction is being made.
    queueMicrotask(this.#onAbort);
  }
}
