import { TimeoutError } from "../errors.ts";
import { pause } from "../time/pause.ts";
import type { Deadline } from "../time/deadline.ts";

/**
 * Waits until the transaction may run again.
 *
 * @throws {TimeoutError} If the deadline comes first; and the reason of its signal, if that fires.
 */
export async function pauseBeforeRetry(
  milliseconds: number,
  { signal, remaining }: Deadline,
): Promise<void> {
  if (remaining <= milliseconds) {
    throw new TimeoutError("Out of time before the transaction could run again");
  }
  await pause(milliseconds, signal);
}
