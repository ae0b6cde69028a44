import { existsSync, realpathSync } from "node:fs";

/** How long the engine keeps the thread to itself, in milliseconds: timers and signals fire only in between. */
const SLICE = 20;

/** Lets one request after the other have the database, first come first served, and time for others in between. */
export class Turns {
  #last: Promise<void> = Promise.resolve();
  #users = 0;
  #worked = 0;
  #since = 0;

  /** Whether nobody has the turn or waits for it. */
  get free(): boolean {
    return this.#users === 0;
  }

  /**
   * Waits for the turn.
   *
   * @param signal Ends the wait.
   * @returns What ends the turn.
   */
  async take(signal: AbortSignal | undefined): Promise<() => void> {
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = promise;
    this.#users++;
    const leave = (): void => {
      this.#users--;
      resolve();
    };
    try {
      await abortable(before, signal);
    } catch (error) {
      void before.then(leave);
      throw error;
    }
    this.#since = performance.now();
    return () => {
      this.#worked += performance.now() - this.#since;
      leave();
    };
  }

  /** Lets timers and signals fire, where the engine has worked for a while: the caller awaits what it gets. */
  rest(signal: AbortSignal | undefined): Promise<void> | undefined {
    const worked = this.#worked + performance.now() - this.#since;
    return worked < SLICE ? undefined : this.#rest(signal);
  }

  async #rest(signal: AbortSignal | undefined): Promise<void> {
    // Timers fire in the order in which they are due.
    await new Promise((resolve) => setTimeout(resolve));
    this.#worked = 0;
    this.#since = performance.now();
    signal?.throwIfAborted();
  }
}

/** The turns at files that are open: requests of several engines take theirs in order, not by chance. */
const FILES = new Map<string, { readonly turns: Turns; users: number }>();

/** What the engines on one file share; `release` has to be called in the end. */
export function turnsAt(path: string): { readonly turns: Turns; release(): void } {
  // A database that is nowhere on disk has another kind of name.
  const file = existsSync(path) ? realpathSync(path) : path;
  const shared = FILES.get(file) ?? { turns: new Turns(), users: 0 };
  FILES.set(file, shared);
  shared.users++;
  return {
    turns: shared.turns,
    release: () => void (--shared.users === 0 && FILES.delete(file)),
  };
}

/** The promise, or the signal's reason when that comes first. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
