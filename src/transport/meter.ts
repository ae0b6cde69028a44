import type { Exchange } from "./transport.ts";

/** One attempt of an exchange that has ended. */
export interface Trip {
  /** The node that was asked last. */
  readonly node: string;
  /** Milliseconds from sending to the end of the answer. */
  readonly duration: number;
  /** What was sent. */
  readonly body: Exchange<unknown>["body"];
  /** What was answered; "" where nothing was, and where the answer is a stream. */
  readonly text: string;
}

/** Counts what is done for a call. */
export interface Meter {
  /** An attempt has ended. */
  sent(trip: Trip): void;
  /** The call waits for its place in a request. */
  waits(): void;
  /** It waits no longer. */
  goes(): void;
}

/** Counts for several calls that share a request; `undefined` where nobody counts. */
export function together(all: readonly (Meter | undefined)[]): Meter | undefined {
  const meters = all.filter((meter) => meter !== undefined);
  if (meters.length < 2) return meters[0];
  const each = (tell: (meter: Meter) => void) => {
    for (const meter of meters) tell(meter);
  };
  return {
    sent: (trip) => each((meter) => meter.sent(trip)),
    waits: () => each((meter) => meter.waits()),
    goes: () => each((meter) => meter.goes()),
  };
}
