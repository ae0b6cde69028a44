import { TimeoutError } from "../errors.ts";
import { pause as wait } from "../calls/pause.ts";
import type { Deadline } from "../transport/deadline.ts";

/**
 * Waits.
 *
 * @throws {TimeoutError} If the deadline comes first; and the reason of its signal, if that fires.
 */
export async function pause(
  milliseconds: number,
  { signal, remaining }: Deadline,
): Promise<void> {
  if (remaining <= milliseconds) {
    throw new TimeoutError("Out of time before the transaction could run again");
  }
  await wait(milliseconds, signal);
}
