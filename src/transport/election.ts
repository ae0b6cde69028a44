import type { Closing } from "../time/closing.ts";
import type { Deadline } from "../time/deadline.ts";
import { sleep } from "../time/sleep.ts";
import type { RetryBudget } from "./retry.ts";

/** The longest time between two looks for a leader while calls wait for one, in milliseconds. */
const LOOK = 150;

/**
 * What the calls of a client do while there is no leader: one of them looks for it from time to time, and the others
 * follow where one has found it.
 */
export class Election {
  readonly #budget: RetryBudget;
  readonly #closing: Closing;
  /** How often a call has found what others may wait for. */
  #found = 0;
  /** Nobody looks before. */
  #nextLook = 0;

  /**
   * @param budget Pays for each look.
   * @param closing Ends what is waited for.
   */
  constructor(budget: RetryBudget, closing: Closing) {
    this.#budget = budget;
    this.#closing = closing;
  }

  /** A call was served that had failed before. */
  found(): void {
    this.#found++;
  }

  /**
   * Waits until the call is to look for a leader: such a look is paid for, and does not count as one of its attempts.
   *
   * @param until When the call is repeated in any case, by `performance.now()`.
   * @returns Whether it is to look now.
   */
  async wait(until: number, deadline: Deadline): Promise<boolean> {
    const found = this.#found;
    const ends = { abort: deadline.signal, closing: this.#closing };
    for (let left; (left = until - performance.now()) > 0;) {
      await sleep(Math.min(left, LOOK * (0.5 + Math.random() / 2)), ends);
      if (this.#closing.closed || deadline.signal?.aborted) return true;
      const now = performance.now();
      const due = found !== this.#found || now >= this.#nextLook;
      if (!due || !this.#budget.take()) continue;
      this.#nextLook = now + LOOK / 2;
      return true;
    }
    return false;
  }
}
