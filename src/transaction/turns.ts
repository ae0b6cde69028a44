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
  async take(longest: number, signals: readonly AbortSignal[]): Promise<() => void> {
    let done = (): void => {};
    const before = this.#last;
    const mine = new Promise<void>((resolve) => done = resolve);
    this.#last = mine;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let stop = (): void => {};
    const limit = new Promise<void>((resolve) => {
      stop = resolve;
      timer = setTimeout(resolve, Math.min(longest, LONGEST_WAIT));
    });
    for (const signal of signals) {
      if (signal.aborted) stop();
      signal.addEventListener("abort", stop, { once: true });
    }
    await Promise.race([before, limit]);
    clearTimeout(timer);
    for (const signal of signals) signal.removeEventListener("abort", stop);
    return done;
  }
}
