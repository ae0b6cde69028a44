/** The longest delay a timer takes, in milliseconds. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** How many microtasks a timer is kept for the next call: with those for which that waits for others to share its request. */
const KEPT = 120;

/**
 * A timer that is handed on. Programs make one call when another has ended: that one takes over the timer, which rings too
 * early for it and is set again then. To set and clear one for each call takes engines longer than all else that is done
 * for it.
 *
 * What is not taken over is cleared before anything else can happen: nothing is left behind, and on Workers, where timers
 * end with their request, what runs until then belongs to the same one.
 */
export class CallTimer {
  static #free: CallTimer | undefined;

  #timer: ReturnType<typeof setTimeout> | undefined;
  #rings = 0;
  #end = 0;
  #wake: (() => void) | undefined;

  /**
   * Sets a timer.
   *
   * @param limit Milliseconds from now.
   * @param wake Called once, unless the timer is stopped before; one function for each timer.
   * @returns Stops it, or does nothing where that was done before.
   */
  static set(limit: number, wake: () => void): () => void {
    const now = performance.now();
    const end = now + limit;
    const free = CallTimer.#free;
    const timer = free !== undefined && free.#rings <= end ? free : new CallTimer();
    if (timer === free) CallTimer.#free = undefined;
    else timer.#wait(now, limit);
    timer.#end = end;
    timer.#wake = wake;
    return () => {
      // By then it may be the timer of another call.
      if (timer.#wake === wake) timer.#stop();
    };
  }

  #stop(): void {
    this.#wake = undefined;
    if (CallTimer.#free === undefined) void this.#keep();
    else clearTimeout(this.#timer);
  }

  /** Clears the one that is kept for the next call, as where there will be none. */
  static clear(): void {
    const free = CallTimer.#free;
    if (free !== undefined) clearTimeout(free.#timer);
    CallTimer.#free = undefined;
  }

  async #keep(): Promise<void> {
    CallTimer.#free = this;
    for (let i = 0; i < KEPT && CallTimer.#free === this; i++) await undefined;
    if (CallTimer.#free === this) CallTimer.clear();
  }

  #wait(now: number, limit: number): void {
    const delay = Math.min(limit, LONGEST_TIMER);
    this.#rings = now + delay;
    this.#timer = setTimeout(() => this.#ring(), delay);
  }

  #ring(): void {
    const wake = this.#wake;
    // It may be late itself, as where the process stood still.
    const left = this.#end - performance.now();
    if (wake === undefined) {
      // Bun runs a timer in front of microtasks.
      if (CallTimer.#free === this) CallTimer.#free = undefined;
    } else if (this.#rings < this.#end && left > 0) {
      this.#wait(this.#end - left, left);
    } else {
      this.#wake = undefined;
      wake();
    }
  }
}
