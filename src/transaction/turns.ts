/** How long one transaction waits for its turn at most, in milliseconds: on Workers another request may never end. */
const LONGEST_WAIT = 5_000;

/** Lets transactions that collided run one after the other, first come first served. */
export class Turns {
  #last: Promise<void> = Promise.resolve();

  /** Waits for the turn; call what it answers when done. */
  async take(longest: number): Promise<() => void> {
    let done = (): void => {};
    // On Workers a promise rejects in later requests once its own request has ended: it has no turn any more.
    const before = this.#last.catch(() => {});
    const mine = new Promise<void>((resolve) => done = resolve);
    this.#last = mine;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const limit = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, Math.min(longest, LONGEST_WAIT));
    });
    await Promise.race([before, limit]);
    clearTimeout(timer);
    return done;
  }
}
