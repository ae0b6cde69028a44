import { TimeoutError } from "../errors.ts";
import { TooSlow, within } from "../locks/within.ts";
import type { Deadline } from "../transport/deadline.ts";

/** How long whoever has the turn may do nothing, in milliseconds: on Workers the request that has it may never end. */
const LONGEST_SILENCE = 5_000;

/** A place in the line; whoever is the first has the turn. */
export interface Turn {
  /** Whoever has it is at work: the turn is his for another while. */
  renew(): void;
  /** The next one may come; again does nothing. */
  leave(): void;
}

interface Place extends Turn {
  /** It was left. */
  readonly over: Promise<void>;
  /** When others stop waiting for it, once it is the first. */
  until: number;
}

/** Lets the transactions of a client run one after the other, first come first served. */
export class Turns {
  readonly #line: Place[] = [];

  /**
   * Waits for the turn. One that nothing is heard of is passed over: whoever has it goes on, and the guards keep it right.
   *
   * @param signal Ends the wait, as does the deadline's.
   * @throws {TimeoutError} If it is not there in time; and the reason of the signal that fires.
   */
  async take({ remaining, signal: caller }: Deadline, signal = caller): Promise<Turn> {
    const end = performance.now() + remaining;
    const mine = this.#join();
    try {
      signal?.throwIfAborted();
      for (;;) {
        const before = this.#line[this.#line.indexOf(mine) - 1];
        if (before === undefined) return mine;
        await this.#await(before, end, signal);
      }
    } catch (error) {
      mine.leave();
      throw error;
    }
  }

  /** Nobody waits any longer. */
  clear(): void {
    for (const place of [...this.#line]) place.leave();
  }

  #join(): Place {
    let tell = (): void => {};
    const over = new Promise<void>((resolve) => tell = resolve);
    const renew = (): void => void (place.until = performance.now() + LONGEST_SILENCE);
    const leave = (): void => {
      const at = this.#line.indexOf(place);
      if (at < 0) return;
      this.#line.splice(at, 1);
      if (at === 0) this.#line[0]?.renew();
      tell();
    };
    const place: Place = { over, renew, leave, until: 0 };
    this.#line.push(place);
    renew();
    return place;
  }

  async #await(before: Place, end: number, signal: AbortSignal | undefined): Promise<void> {
    const now = performance.now();
    if (now >= end) throw tooLate(this.#line.indexOf(before) + 1);
    const first = this.#line[0]!;
    try {
      await within(before.over, Math.min(first.until, end) - now, signal);
    } catch (error) {
      signal?.throwIfAborted();
      // On Workers a promise rejects in later requests once its own request has ended: it has no turn any more.
      if (!(error instanceof TooSlow)) before.leave();
      else if (first.until <= performance.now()) first.leave();
    }
  }
}

function tooLate(others: number): TimeoutError {
  return new TimeoutError(
    `Nothing was kept, as the transaction did not get its turn in its time, with ${others} of this client in front of ` +
      "it: give it a longer `timeout`; `turns: false` does not wait; inside of another's function use the `tx` of that",
  );
}
