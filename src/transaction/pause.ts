import { TimeoutError } from "../errors.ts";
import { type Deadline, Interrupted, within } from "../transport/deadline.ts";

/**
 * Waits.
 *
 * @throws {TimeoutError} If the deadline comes first; and the reason of its signal, if that fires.
 */
export async function pause(milliseconds: number, deadline: Deadline): Promise<void> {
  const { signal, remaining } = deadline;
  if (remaining <= milliseconds) {
    throw new TimeoutError("Out of time before the transaction could run again");
  }
  const never = new AbortController().signal;
  try {
    await within(milliseconds, { abort: signal, close: never }, () => new Promise(() => {}));
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    if (error.by === "abort") throw signal!.reason;
  }
}
