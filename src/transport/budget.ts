/** What a client may have saved, in repeats: so many follow a failure that comes out of nothing. */
const MOST = 100;

/** Calls that pay for one repeat. */
const CALLS_PER_REPEAT = 10;

/** Milliseconds that pay for one repeat: a caller who is alone never runs out, and somebody keeps looking for a leader. */
const TIME_PER_REPEAT = 100;

/**
 * How many repeats all calls of a client may send together, so that a cluster that is dying is not asked several times
 * as often for it: {@linkcode MOST}, one for ten calls, one for a tenth of a second, and one for each success. The
 * last lets all who wait through as soon as the cluster answers again, more and more of them at once.
 */
export class RetryBudget {
  /** Calls that have succeeded. */
  successes = 0;
  #repeats = MOST;
  #since = performance.now();

  /** A call is sent for the first time. */
  called(): void {
    this.#add(1 / CALLS_PER_REPEAT);
  }

  /** A call has succeeded. */
  succeeded(): void {
    this.successes++;
    this.#add(1);
  }

  /** Pays for a repeat; `false` if nothing is left. */
  take(): boolean {
    const now = performance.now();
    this.#add((now - this.#since) / TIME_PER_REPEAT);
    this.#since = now;
    if (this.#repeats < 1) return false;
    this.#repeats--;
    return true;
  }

  #add(repeats: number): void {
    this.#repeats = Math.min(MOST, this.#repeats + repeats);
  }
}
