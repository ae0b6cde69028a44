import { LockLostError } from "../errors.ts";
import { HolderTimer } from "../time/holder_timer.ts";
import { released } from "./lock_errors.ts";

/** A moment by both clocks: the monotonic one stops while the machine sleeps, the other one can be set. */
export interface Moment {
  /** By `performance.now()`. */
  readonly steady: number;
  /** By `Date.now()`. */
  readonly wall: number;
}

/** The present. */
export function now(): Moment {
  return { steady: performance.now(), wall: Date.now() };
}

/** How a lease is kept. */
export interface LeaseOptions {
  /** Of the lock, for errors. */
  readonly name: string;
  /** Milliseconds. */
  readonly duration: number;
  /** When the acquisition was sent: the lease runs from then on, not from its answer. */
  readonly sent: Moment;
  /** For how long it is renewed, in milliseconds; 0 renews it never. */
  readonly maxHoldTime: number;
  /**
   * Renews it; false if it is somebody else's. What it throws leaves open what happened.
   *
   * @param limit Milliseconds that it may take.
   */
  readonly renew: (limit: number) => Promise<boolean>;
  /** To be used for its timers, and left to the caller to clear at its end. */
  readonly timer?: HolderTimer;
}

/** What is held for a time and renewed: believed only as long as both clocks allow. */
export class Lease {
  readonly #options: LeaseOptions;
  /** Made when asked for: it would be a good part of what a lock costs. */
  #controller: AbortController | undefined;
  readonly #began: Moment;
  #sent: Moment;
  readonly #timer: HolderTimer;
  #ended = false;
  #lost: LockLostError | undefined;
  #onLoss = (): void => {};

  /** Begins to renew it. */
  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#timer = options.timer ?? new HolderTimer();
    this.#sent = this.#began = options.sent;
    this.#plan(options.duration / 3);
  }

  /** Whether nobody else can have it yet, by the stricter of two clocks. */
  get held(): boolean {
    return !this.#ended && this.#lost === undefined && this.#remaining > 0;
  }

  /** Fires when it is lost. */
  get signal(): AbortSignal {
    const controller = this.#controller ??= new AbortController();
    if (this.#lost !== undefined && !controller.signal.aborted) controller.abort(this.#lost);
    return controller.signal;
  }

  /** Calls this when it is lost, at once if it was. */
  onLoss(call: () => void): void {
    this.#onLoss = call;
    if (this.#lost !== undefined) call();
  }

  /**
   * Asks the clocks.
   *
   * @throws {LockLostError} If it was lost, or has ended.
   */
  throwIfLost(): void {
    if (!this.#ended && this.#remaining <= 0) this.#lose("its lease ran out");
    if (this.#lost !== undefined) throw this.#lost;
    if (this.#ended) throw released(this.#options.name);
  }

  /** Stops for good: an answer that comes later neither renews nor reports a loss. */
  end(): void {
    this.#ended = true;
    if (this.#options.timer === undefined) this.#timer.clear();
    else this.#timer.drop();
  }

  get #remaining(): number {
    const { steady, wall } = now();
    const passed = Math.max(steady - this.#sent.steady, wall - this.#sent.wall);
    const { duration } = this.#options;
    return duration - (duration / 100 + 2) - passed;
  }

  /** Renews after a while, or notices at the end that it was too late. */
  #plan(delay: number): void {
    const renews = now().steady - this.#began.steady + delay < this.#options.maxHoldTime;
    const wait = Math.max(0, renews ? Math.min(delay, this.#remaining) : this.#remaining);
    this.#timer.set(wait, () => void this.#wake(renews), true);
  }

  async #wake(renews: boolean): Promise<void> {
    if (this.#ended) return;
    const remaining = this.#remaining;
    if (remaining <= 0) return this.#lose("its lease ran out");
    if (!renews) return this.#plan(Infinity);
    const sent = now();
    const { duration, renew } = this.#options;
    let renewed: boolean | undefined;
    try {
      renewed = await renew(remaining);
    } catch {
      // Nobody knows: try again soon, as long as there is time.
    }
    if (this.#ended || this.#lost !== undefined) return;
    if (renewed === false) return this.#lose("it was taken or removed meanwhile");
    if (renewed) this.#sent = sent;
    this.#plan(renewed ? duration / 3 - (now().steady - sent.steady) : duration / 10);
  }

  #lose(reason: string): void {
    if (this.#lost !== undefined) return;
    this.#timer.clear();
    const { name } = this.#options;
    const message = `The lock ${JSON.stringify(name)} was lost: ${reason}`;
    this.#lost = new LockLostError(message, { lock: name });
    this.#controller?.abort(this.#lost);
    this.#onLoss();
  }
}
