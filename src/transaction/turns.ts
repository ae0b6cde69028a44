import { waitFor } from "./wait_for.ts";

/** How long one transaction waits for its turn at most, in milliseconds: on Workers another request may never end. */
const LONGEST_WAIT = 5_000;

/** Lets transactions that collided run one after the other, first come first served. */
export class Turns {
  #last: Promise<void> = Promise.resolve();

  /**
   * Waits for the turn, or until it is pointless to wait; call what it answers when done.
   *
   * @param longest Milliseconds.
   * @param signals Any of them ends the wait.
   */
  async take(longest: number, signals: readonly AbortSignal[] = []): Promise<() => void> {
    let done = (): void => {};
    // On Workers a promise rejects in later requests once its own request has ended: it has no turn any more.
    const before = this.#last.catch(() => {});
    const mine = new Promise<void>((resolve) => done = resolve);
    this.#last = mine;
    await waitFor(before, Math.min(longest, LONGEST_WAIT), signals);
    return done;
  }
}
