import type { Closing } from "./closing.ts";
import { Interrupted, within } from "./within.ts";

/**
 * Waits until the time is over, the signal fires or the client is closed. It does not tell which: whoever waits looks
 * at the last two before going on.
 */
export async function sleep(
  milliseconds: number,
  ends: { readonly abort: AbortSignal | undefined; readonly closing: Closing },
): Promise<void> {
  try {
    await within(milliseconds, ends, () => new Promise(() => {}));
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
  }
}
