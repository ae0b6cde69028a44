/** The shortest limit of a wait, and the shortest wait, in milliseconds. */
const SHORTEST_LIMIT = 2;
const SHORTEST_WAIT = 1;

/** What is taken for a usual wait at least, and before there was one, in milliseconds. */
const USUAL_WAIT = 8;

/**
 * When to try again. Nobody keeps a list of who waits, so the pace makes up for it: whoever has waited for long,
 * measured by what was usual lately, tries more often than who has just come, and who had to wait for his last turn lets
 * others try first before the next one.
 */
export class Pace {
  readonly #longest: number;
  readonly #least: number;
  #usual = USUAL_WAIT;
  #contended = false;
  #freed = 0;

  /**
   * @param longest Milliseconds between two tries at most.
   * @param least What that limit is at least, for who need not hurry: as much as `longest`, and all waits are alike.
   */
  constructor(longest: number, least: number = SHORTEST_LIMIT) {
    this.#longest = longest;
    this.#least = least;
  }

  /**
   * How long to wait before the first try, in milliseconds.
   *
   * @param present By `performance.now()`.
   */
  ahead(present: number): number {
    if (!this.#contended) return 0;
    const until = this.#freed + this.#usual / 8 * (1 + Math.random());
    return Math.min(until - present, this.#longest);
  }

  /**
   * How long to wait behind a try that failed, in milliseconds.
   *
   * @param age For how long it is waited already.
   */
  wait(age: number): number {
    // What takes much longer than usual may take for ever: then seldom again.
    const usual = Math.max(this.#usual, age / 4);
    const limit = usual / 8 / (1 + 4 * age / usual);
    const longest = Math.min(this.#longest, Math.max(this.#least, limit));
    return SHORTEST_WAIT + Math.random() * (longest - SHORTEST_WAIT);
  }

  /**
   * It was taken.
   *
   * @param waited Milliseconds.
   * @param tries How many failed before.
   */
  taken(waited: number, tries: number): void {
    this.#contended = tries > 0;
    this.#usual = Math.max(USUAL_WAIT, this.#usual + (waited - this.#usual) / 4);
  }

  /** It is about to be freed. */
  released(): void {
    if (this.#contended) this.#freed = performance.now();
  }
}
