/** Waits between two tries, in milliseconds: at random, up to a limit that doubles. */
const FIRST_WAIT = 2;
const SHORTEST_WAIT = 1;

/** When to try again. */
export class Pace {
  readonly #longest: number;

  /** @param longest Milliseconds. */
  constructor(longest: number) {
    this.#longest = longest;
  }

  /** How long to wait before the first try. */
  ahead(): number {
    return 0;
  }

  /** How long to wait behind a try that failed. */
  wait(round: number, _age: number): number {
    const limit = Math.min(this.#longest, FIRST_WAIT * 2 ** Math.min(round, 20));
    return SHORTEST_WAIT + Math.random() * (limit - SHORTEST_WAIT);
  }

  /** It was taken. */
  taken(_round: number): void {}

  /** It is about to be freed. */
  released(): void {}
}
