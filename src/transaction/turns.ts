import { within } from "../locks/within.ts";

/** How long one transaction waits for its turn at most, in milliseconds: on Workers another request may never end. */
const LONGEST_WAIT = 5_000;

/** Lets transactions that collided run one after the other, first come first served. */
export class Turns {
  #last: Promise<void> = Promise.resolve();

  /**
   * Waits for the turn, or until it is pointless to wait; call what it answers when done.
   *
   * @param longest Milliseconds.
   * @param signal Ends the wait.
   */
  async take(longest: number, signal?: AbortSignal): Promise<() => void> {
    let done = (): void => {};
    const before = this.#last;
    const mine = new Promise<void>((resolve) => done = resolve);
    this.#last = mine;
    // On Workers a promise rejects in later requests once its own request has ended: it has no turn any more.
    await within(before, Math.min(longest, LONGEST_WAIT), signal).catch(() => {});
    return done;
  }
}
