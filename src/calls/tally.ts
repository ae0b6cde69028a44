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

  sent(request: SentRequest): void {
    this.#requests++;
    this.#network += request.duration;
    this.#node = request.node;
    if (typeof request.body === "string") this.#sent += bytesOf(request.body);
    this.#received += bytesOf(request.text);
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
