import { pause } from "../time/pause.ts";

/** How long a release is tried, in milliseconds: behind that the lease runs out by itself. */
export const RELEASE_LIMIT = 3_000;

/** The first wait between two tries, in milliseconds: it doubles. */
const FIRST_WAIT = 10;

/**
 * Sends something until it is answered, for what nobody waits to be told: it never throws.
 *
 * @param send Gets the milliseconds that it may take.
 * @param limit Milliseconds for all tries.
 * @param mayPass Whether it may help to send it again.
 * @returns `undefined` if it was not answered in time.
 */
export async function persist<T>(
  send: (timeout: number) => Promise<T>,
  limit: number,
  mayPass: (error: unknown) => boolean,
): Promise<T | undefined> {
  const end = performance.now() + limit;
  for (let wait = FIRST_WAIT;; wait *= 2) {
    const timeout = end - performance.now();
    if (timeout <= 0) return undefined;
    try {
      return await send(timeout);
    } catch (error) {
      if (!mayPass(error) || performance.now() + wait >= end) return undefined;
    }
    await pause(wait);
  }
}

/**
 * Tries to take something until it is taken.
 *
 * @param next One try, by how many were made before it: what was taken, or how long to wait for the next one, in
 * milliseconds. It throws where there is none.
 * @param giveUp Undoes what tries may still take; called where there is no next one, or the signal fires.
 */
export async function untilTaken<T extends object>(
  next: (round: number) => Promise<T | number>,
  giveUp: () => void,
  signal: AbortSignal | undefined,
): Promise<T> {
  try {
    for (let round = 0;; round++) {
      const taken = await next(round);
      if (typeof taken !== "number") return taken;
      await pause(taken, signal);
    }
  } catch (error) {
    giveUp();
    throw error;
  }
}
