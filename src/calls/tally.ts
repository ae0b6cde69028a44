import type { Meter, Trip } from "../transport/meter.ts";
import type { CallOutcome } from "./interceptor.ts";

/** Counts what is done for a call. */
export class Tally implements Meter {
  #requests = 0;
  #network = 0;
  #sent = 0;
  #received = 0;
  #node: string | undefined;
  #queued = 0;
  #waiting = 0;
  #since = 0;

  /** See {@linkcode CallOutcome}. */
  get counts(): Omit<CallOutcome, "results"> {
    return {
      requests: this.#requests,
      queued: this.#queued,
      network: this.#network,
      sent: this.#sent,
      received: this.#received,
      ...(this.#node !== undefined && { node: this.#node }),
    };
  }

  sent(trip: Trip): void {
    this.#requests++;
    this.#network += trip.duration;
    this.#node = trip.node;
    if (typeof trip.body === "string") this.#sent += bytesOf(trip.body);
    this.#received += bytesOf(trip.text);
  }

  waits(): void {
    if (this.#waiting++ === 0) this.#since = performance.now();
  }

  goes(): void {
    if (--this.#waiting === 0) this.#queued += performance.now() - this.#since;
  }
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}
