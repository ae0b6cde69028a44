import { TimeoutError } from "../errors.ts";
import { Queue, type Turn } from "../locks/queue.ts";
import type { Deadline } from "../transport/deadline.ts";
import type { Hold } from "./hold.ts";

/** How long whoever has the turn may do nothing, in milliseconds: on Workers the request that has it may never end. */
const LONGEST_SILENCE = 5_000;

/** What lets the transactions of a client run one after the other; whoever is passed over goes on, guarded as ever. */
export function makeTurns(): Queue {
  return new Queue(undefined, LONGEST_SILENCE);
}

/**
 * Waits for the turn, while a lock is held or not: whoever waits holds his lock.
 *
 * @throws {TimeoutError} If it is not there in time; and the reason of the deadline's signal or of the lock's.
 */
export async function takeTurn(
  turns: Queue,
  { remaining, signal }: Deadline,
  hold: Hold | undefined,
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
