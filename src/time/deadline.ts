import type { CallMeter } from "./meter.ts";

/** One limit over all attempts of a call: the caller's signal and a point in time. */
export class Deadline {
  /** The caller's signal, if there is one. */
  readonly signal: AbortSignal | undefined;
  /** Counts what is sent until then, if somebody wants to know. */
  readonly meter: CallMeter | undefined;
  #end: { at: number };

  /** @param timeout Milliseconds from now. */
  constructor(timeout: number, signal?: AbortSignal, meter?: CallMeter) {
    this.signal = signal;
    this.meter = meter;
    this.#end = { at: performance.now() + timeout };
  }

  /** The same limit with another signal and another meter, or without. */
  by(signal: AbortSignal | undefined, meter?: CallMeter): Deadline {
    const deadline = new Deadline(0, signal, meter);
    deadline.#end = this.#end;
    return deadline;
  }

  /** Begins again: for who serves one call after another. @param timeout Milliseconds from now. */
  restart(timeout: number): void {
    this.#end.at = performance.now() + timeout;
  }

  /** When it ends, on the clock of `performance.now()`. */
  get end(): number {
    return this.#end.at;
  }

  /** Milliseconds that remain; 0 when time is up. */
  get remaining(): number {
    return Math.max(0, this.#end.at - performance.now());
  }
}
