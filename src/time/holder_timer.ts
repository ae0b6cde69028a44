/**
 * One timer for what a holder waits for one after the other: an answer, the next renewal, an answer again. It is set
 * anew only where it must ring sooner, as timers are a good part of what a lock costs.
 */
export class HolderTimer {
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When the timer rings, and when somebody is to be called, by `performance.now()`. */
  #rings = 0;
  #due = 0;
  #call: (() => void) | undefined;
  #idle = false;

  /**
   * Calls once, in place of what was set before.
   *
   * @param delay Milliseconds.
   * @param idle Keeps no process alive meanwhile, where a timer can be told so.
   */
  set(delay: number, call: () => void, idle: boolean): void {
    this.#due = performance.now() + delay;
    this.#call = call;
    if (this.#timer === undefined || this.#due < this.#rings) this.#start(delay);
    if (idle !== this.#idle) this.#mark(idle);
  }

  /**
   * Calls nobody; the timer stays for what is set next, or for {@linkcode HolderTimer.clear}.
   *
   * @param call Only if this is what was to be called.
   */
  drop(call?: () => void): void {
    if (call === undefined || call === this.#call) this.#call = undefined;
  }

  /** Calls nobody, and leaves nothing behind. */
  clear(): void {
    this.#call = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #start(delay: number): void {
    clearTimeout(this.#timer);
    this.#rings = this.#due;
    this.#idle = false;
    this.#timer = setTimeout(() => this.#ring(), delay);
  }

  #mark(idle: boolean): void {
    this.#idle = idle;
    if (typeof this.#timer !== "object") return;
    const timer = this.#timer as { ref?: () => void; unref?: () => void };
    if (idle) timer.unref?.();
    else timer.ref?.();
  }

  #ring(): void {
    this.#timer = undefined;
    const call = this.#call;
    if (call === undefined) return;
    const left = this.#due - performance.now();
    if (left < 1) {
      this.#call = undefined;
      return call();
    }
    const idle = this.#idle;
    this.#start(left);
    if (idle) this.#mark(idle);
  }
}
