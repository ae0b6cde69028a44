/** How long somebody who waits goes without a look at whoever has the turn, in milliseconds. */
const LOOK = 1_000;

/** One's turn in a {@linkcode Queue}. */
export class Turn {
  readonly #patience: number;
  #until = Infinity;
  #leave: (() => void) | undefined;

  /**
   * @param leave Lets the next one in.
   * @param patience For how many milliseconds it is trusted where nothing is heard of whoever has it.
   */
  constructor(leave: () => void, patience = Infinity) {
    this.#leave = leave;
    this.#patience = patience;
    this.trust();
  }

  /** Whoever has it lives: without another sign of that within so many milliseconds, the next one gets it. */
  trust(limit: number = this.#patience): void {
    this.#until = performance.now() + limit;
  }

  /** Whether it was trusted for a time that is over. */
  get over(): boolean {
    return this.#until <= performance.now();
  }

  /** From now on it lets nobody in. */
  drop(): void {
    this.#leave = undefined;
  }

  /** The next one may come; again does nothing. */
  leave(): void {
    const leave = this.#leave;
    this.#leave = undefined;
    leave?.();
  }
}

/**
 * Lets one after the other in, first come first served; handed over directly. Whoever is trusted no longer is passed
 * over, by the first of those who wait.
 */
export class Queue {
  readonly #waiting: ((turn: Turn) => void)[] = [];
  #turn: Turn | undefined;
  readonly #onIdle: (() => void) | undefined;
  readonly #patience: number;

  /**
   * @param onIdle Called whenever the last one leaves and nobody waits.
   * @param patience For how many milliseconds a turn is trusted that nothing is heard of.
   */
  constructor(onIdle?: () => void, patience = Infinity) {
    this.#onIdle = onIdle;
    this.#patience = patience;
  }

  /**
   * Waits for the turn.
   *
   * @param limit Milliseconds; 0 does not wait.
   * @param late The error of whoever waits for longer, with so many others in front.
   * @throws The signal's reason, if that fires.
   */
  async enter(
    limit: number,
    late: (others: number) => Error,
    signal?: AbortSignal,
  ): Promise<Turn> {
    signal?.throwIfAborted();
    this.#passOver();
    if (this.#turn === undefined) return this.#begin();
    const end = performance.now() + limit;
    let resolve = (_turn: Turn): void => {};
    let reject = (_reason: unknown): void => {};
    const promise = new Promise<Turn>((...both) => [resolve, reject] = both);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const giveUp = (reason: (others: number) => unknown): void => {
      const at = this.#waiting.indexOf(resolve);
      if (at < 0) return;
      this.#waiting.splice(at, 1);
      reject(reason(at + 1));
    };
    const onAbort = (): void => giveUp(() => signal?.reason);
    const onTimer = (): void => {
      this.#passOver();
      if (performance.now() < end) return wait();
      giveUp(late);
    };
    const wait = (): void => {
      const look = this.#patience < Infinity ? LOOK : Infinity;
      const delay = Math.min(end - performance.now(), look);
      if (delay < 2 ** 31) timer = setTimeout(onTimer, Math.ceil(delay));
    };
    this.#waiting.push(resolve);
    signal?.addEventListener("abort", onAbort);
    wait();
    try {
      return await promise;
    } finally {
      // Not by whoever lets it in: on Workers timers and signals are those of one request.
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /** Nobody waits any longer, nor for whoever has the turn now. */
  clear(): void {
    while (this.#turn !== undefined) this.#next();
  }

  #begin(): Turn {
    const leave = (): void => {
      this.#next();
      if (this.#turn === undefined) this.#onIdle?.();
    };
    return this.#turn = new Turn(leave, this.#patience);
  }

  /** The turn is that of the next one, if somebody waits. */
  #next(): void {
    this.#turn?.drop();
    this.#turn = undefined;
    this.#waiting.shift()?.(this.#begin());
  }

  /** Somebody has come or waits, so this is not idle. */
  #passOver(): void {
    if (this.#turn?.over) this.#next();
  }
}
