import { LockTimeoutError } from "../errors.ts";
import { reasonOf } from "../reason.ts";

/** How long somebody who waits goes without a look at whoever has the turn, in milliseconds. */
const LOOK = 1_000;

/** One's turn in a {@linkcode Queue}. */
export class Turn {
  #until = Infinity;
  #leave: (() => void) | undefined;

  /** @param leave Lets the next one in. */
  constructor(leave: () => void) {
    this.#leave = leave;
  }

  /** Whoever has it lives: without another sign of that within so many milliseconds, the next one gets it. */
  trust(limit: number): void {
    this.#until = performance.now() + limit;
  }

  /** Whether it was trusted for a time that is over. */
  get over(): boolean {
    return this.#until < Infinity && this.#until <= performance.now();
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
  readonly #waiting: (() => void)[] = [];
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
   * @param name Of the lock, for the error.
   * @param holder What is known of whoever holds it, for the error.
   * @throws {LockTimeoutError} If it is not there in time; and the signal's reason, if that fires.
   */
  enter(
    limit: number,
    name: string,
    signal?: AbortSignal,
    holder?: () => string | undefined,
  ): Promise<Turn> {
    signal?.throwIfAborted();
    this.#passOver();
    if (this.#turn === undefined) return Promise.resolve(this.#begin());
    const end = performance.now() + limit;
    return new Promise((resolve, reject) => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const leave = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
      };
      const giveUp = (reason: unknown): void => {
        leave();
        this.#waiting.splice(this.#waiting.indexOf(enter), 1);
        reject(reason);
      };
      const enter = (): void => {
        leave();
        resolve(this.#begin());
      };
      const onAbort = (): void => giveUp(signal!.reason);
      const onTimer = (): void => {
        this.#passOver();
        if (!this.#waiting.includes(enter)) return;
        if (performance.now() < end) return wait();
        giveUp(tooLate(name, undefined, holder?.()));
      };
      const wait = (): void => {
        const delay = Math.min(
          end - performance.now(),
          this.#patience < Infinity ? LOOK : Infinity,
        );
        if (delay < 2 ** 31) timer = setTimeout(onTimer, Math.ceil(delay));
      };
      this.#waiting.push(enter);
      signal?.addEventListener("abort", onAbort, { once: true });
      wait();
    });
  }

  #begin(): Turn {
    const turn = this.#turn = new Turn(() => {
      this.#next();
      if (this.#turn === undefined) this.#onIdle?.();
    });
    if (this.#patience < Infinity) turn.trust(this.#patience);
    return turn;
  }

  #next(): void {
    this.#turn = undefined;
    this.#waiting.shift()?.();
  }

  /** Somebody has come or waits, so this is not idle. */
  #passOver(): void {
    if (!this.#turn?.over) return;
    this.#turn.drop();
    this.#next();
  }
}

/**
 * The error of whoever waited for a lock as long as he would.
 *
 * @param cause What went wrong with whatever keeps the lock, if that was it.
 * @param holder What is known of whoever holds it.
 */
export function tooLate(name: string, cause?: unknown, holder?: string): LockTimeoutError {
  const reason = cause === undefined
    ? `others held it until the end of \`timeout\`${holder === undefined ? "" : ` (${holder})`}; ` +
      "it is not reentrant: whoever holds it must not take it again"
    : `it could not be asked for until the end of \`timeout\`: ${
      cause instanceof Error ? cause.message : reasonOf(cause)
    }`;
  return new LockTimeoutError(`Cannot take the lock ${JSON.stringify(name)} as ${reason}`, {
    lock: name,
    cause,
  });
}
