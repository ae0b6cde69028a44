import { TimeoutError } from "../errors.ts";
import { Queue, type Turn } from "../locks/queue.ts";
import type { Prepared } from "../sql/prepare.ts";
import type { Deadline } from "../time/deadline.ts";
import type { HeldLock } from "./held_lock.ts";

/** How long whoever has the turn may do nothing, in milliseconds: on Workers the request that has it may never end. */
const LONGEST_SILENCE = 5_000;

/** What lets the transactions of a client run one after the other; whoever is passed over goes on, guarded as ever. */
export function makeTurns(): Queue {
  return new Queue(undefined, LONGEST_SILENCE);
}

/** What a transaction begins with: those that begin alike are taken to want the same. */
export function beginningOf({ sql, params }: Prepared): string {
  return [sql, ...params].join("\0");
}

/** The transactions of a client that have collided and run again, or wait behind such, by what they begin with. */
export class Collisions {
  readonly #counts = new Map<string, number>();

  /** Whether there are some. */
  has(beginning: string): boolean {
    return this.#counts.has(beginning);
  }

  /** One more. */
  enter(beginning: string): void {
    this.#counts.set(beginning, (this.#counts.get(beginning) ?? 0) + 1);
  }

  /** One less. */
  leave(beginning: string): void {
    const left = (this.#counts.get(beginning) ?? 1) - 1;
    if (left > 0) this.#counts.set(beginning, left);
    else this.#counts.delete(beginning);
  }
}

/**
 * Waits for the turn, while a lock is held or not: whoever waits holds his lock.
 *
 * @throws {TimeoutError} If it is not there in time; and the reason of the deadline's signal or of the lock's.
 */
export async function takeTurn(
  turns: Queue,
  { remaining, signal }: Deadline,
  hold: HeldLock | undefined,
): Promise<Turn> {
  const signals = [signal, hold?.signal].filter((one) => one !== undefined);
  return await turns.enter(remaining, tooLate, hold ? AbortSignal.any(signals) : signal);
}

function tooLate(others: number): TimeoutError {
  return new TimeoutError(
    `Nothing was kept, as the transaction did not get its turn in its time, with ${others} of this client in front of ` +
      "it: give it a longer `timeout`; `turns: false` does not wait; inside of another's function use the `tx` of that",
  );
}
