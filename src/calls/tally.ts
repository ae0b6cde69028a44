import type { CallMeter, SentRequest } from "../time/meter.ts";
import type { CallOutcome } from "./interceptor.ts";

/** Counts what is done for a call. */
export class Tally implements CallMeter {
  #requests = 0;
  #network = 0;
  #sent = 0;
  #received = 0;
  #node: string | undefined;
  #queued = 0;
  #waiting = 0;
  #since = 0;

  /** What was counted so far, as an outcome tells it. */
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

  /** Counts a request that was answered, or failed. */
  sent(request: SentRequest): void {
    this.#requests++;
    this.#network += request.duration;
    this.#node = request.node;
    if (typeof request.body === "string") this.#sent += bytesOf(request.body);
    this.#received += bytesOf(request.text);
  }

  /** The call begins to wait for its place in a request. */
  waits(): void {
    if (this.#waiting++ === 0) this.#since = performance.now();
  }

  /** It waits no longer. */
  goes(): void {
    if (--this.#waiting === 0) this.#queued += performance.now() - this.#since;
  }
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}
