import { TimeoutError } from "../errors.ts";
import type { Deadline } from "../time/deadline.ts";
import { pause } from "../time/pause.ts";

/** The first of them and the longest, in milliseconds, and how they grow. */
const FIRST = 10;
const LONGEST = 100;
const GROWTH = 1.5;

/** The waits between looks at something that changes, each longer than the one before. */
export class Pauses {
  readonly #deadline: Deadline;
  #next = FIRST;

  /** @param deadline Of all looks. */
  constructor(deadline: Deadline) {
    this.#deadline = deadline;
  }

  /** Waits for a part of the next wait, most often a small one: so looks at several nodes are spread. */
  async spread(): Promise<void> {
    const { remaining, signal } = this.#deadline;
    await pause(Math.min(Math.random() ** 4 * this.#next, remaining), signal);
  }

  /**
   * Waits for the next look.
   *
   * @param why What is not known yet.
   * @throws {TimeoutError} If there is no time for it; and the reason of the deadline's signal.
   */
  async wait(why: () => string): Promise<void> {
    const { remaining, signal } = this.#deadline;
    if (remaining <= this.#next) throw outOfTime(why());
    await pause(this.#next, signal);
    this.#next = Math.min(GROWTH * this.#next, LONGEST);
  }
}

/** What to throw for an error of a look: where time was up, it says what is not known, too. */
export function lateOr(error: unknown, why: () => string): unknown {
  if (!(error instanceof TimeoutError)) return error;
  return outOfTime(`${why()}; ${error.message}`, error);
}

function outOfTime(why: string, cause?: unknown): TimeoutError {
  const message = `Cannot tell in time whether the nodes are equal: ${why}`;
  return new TimeoutError(message, cause === undefined ? {} : { cause });
}
