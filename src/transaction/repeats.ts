import { NotSupportedError, TimeoutError } from "../errors.ts";
import type { WriteOp } from "./journal.ts";

/** Writes that are sent again, all in all: more would take about as long as a transaction may by default. */
const MOST_WRITES = 250_000;

/** The same of the characters of their texts and values. */
const MOST_CHARACTERS = 250_000_000;

/** From so many on it is their number that takes the time. */
const MANY = 10_000;

const ADVICE =
  "each statement is tried behind the writes that it may depend on, which are sent again for it. " +
  'Give { mode: "lazy" } where no write has to answer at once, issue writes together (Promise.all, or one batch), ' +
  "or make several transactions of it";

/** What a transaction has sent again in front of statements that were tried. */
export class Repeats {
  #writes = 0;
  #characters = 0;

  /**
   * Counts writes before they are sent again.
   *
   * @throws {NotSupportedError} If that is more than makes sense.
   */
  add(writes: readonly WriteOp[]): void {
    this.#writes += writes.length;
    for (const { prepared: { sql, params } } of writes) {
      this.#characters += sql.length;
      for (const value of params) if (typeof value === "string") this.#characters += value.length;
    }
    if (this.#writes <= MOST_WRITES && this.#characters <= MOST_CHARACTERS) return;
    throw new NotSupportedError(
      `Cannot run the statement, and nothing of it was kept, as the transaction would send ${this.#writes} ` +
        `writes again, of ${this.#characters} characters: ${ADVICE}`,
    );
  }

  /** The error of a time-out: where writes were sent again and again, another run takes as long. */
  explained(error: unknown): unknown {
    if (!(error instanceof TimeoutError) || this.#writes < MANY) return error;
    return new TimeoutError(
      `The transaction took too long, and nothing was kept: it has sent ${this.#writes} writes again, as ${ADVICE}`,
      { retryable: false, cause: error },
    );
  }
}
