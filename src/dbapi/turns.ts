/** Steps that begin in the order in which they were asked for, each when the one before has ended. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** All steps so far have ended. */
  get idle(): Promise<unknown> {
    return this.#last;
  }

  /** Runs a step in its turn; what it throws does not keep the next ones from running. */
  take<T>(step: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(step);
    this.#last = turn.catch(() => {});
    return turn;
  }
}
