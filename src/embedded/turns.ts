import { existsSync, realpathSync } from "node:fs";
import type { Connection } from "./connection.ts";

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

/** How long somebody else may have the file where no signal ends the wait, in milliseconds. */
const PATIENCE = 5000;

/** The longest time between two looks whether the file is free, in milliseconds. */
const LONGEST_STEP = 50;

const BEHIND_OTHERS = "other requests had the embedded database until then";
const LOCKED = "another process or connection has locked the file of the embedded database";

/**
 * One request's turn at a database. It has the connections for itself, except while it waits to write: then others may
 * read, and those that want to write stay behind it.
 */
export class Turn {
  readonly #turns: Turns;
  readonly #writers: Turns;
  readonly #signal: AbortSignal | undefined;
  #leave: (() => void) | undefined;
  #endWriting: (() => void) | undefined;
  #wrote = false;
  /** What is in the way of a request that has done nothing yet. */
  #obstacle: string | undefined = BEHIND_OTHERS;

  /**
   * Waits for nothing yet.
   *
   * @param turns Of those that use the connections.
   * @param writers Of those that write, or wait to write, by the same connection.
   * @param signal Ends every wait.
   */
  constructor(turns: Turns, writers: Turns, signal: AbortSignal | undefined) {
    this.#turns = turns;
    this.#writers = writers;
    this.#signal = signal;
    signal?.addEventListener("abort", this.#excuse);
  }

  /** Whether it has written anything, or may have. */
  get wrote(): boolean {
    return this.#wrote;
  }

  /** @throws The signal's reason, if it has fired. */
  throwIfAborted(): void {
    this.#signal?.throwIfAborted();
  }

  /** Waits for the turn. */
  async begin(): Promise<void> {
    this.#leave = await this.#turns.take(this.#signal);
    this.#obstacle = undefined;
  }

  /** Lets the next one have its turn. */
  end(): void {
    this.#signal?.removeEventListener("abort", this.#excuse);
    this.#endWriting?.();
    this.#stepAside();
  }

  /** Lets timers and signals fire, where the engine has worked for a while: the caller awaits what it gets. */
  rest(): Promise<void> | undefined {
    return this.#turns.rest(this.#signal);
  }

  /** From here on nobody else writes by the same connection. */
  async write(): Promise<void> {
    const entering = async (): Promise<void> => {
      this.#endWriting = await this.#writers.take(this.#signal);
    };
    await (this.#writers.free ? entering() : this.#aside(entering()));
  }

  /**
   * Does something, and tries it again while somebody else has locked the file; it must do nothing where it fails so.
   *
   * @throws {SqliteError} when the lock lasts and no signal ends the wait
   */
  async whenFree<T>(connection: Connection, action: () => T): Promise<T> {
    const until = this.#signal ? Infinity : performance.now() + PATIENCE;
    for (let step = 1;; step *= 2) {
      connection.checkOpen();
      try {
        const value = action();
        this.#wrote ||= this.#endWriting !== undefined;
        return value;
      } catch (error) {
        const waits = connection.waitsAfter(error);
        this.#wrote ||= !waits && this.#endWriting !== undefined;
        if (!waits || performance.now() > until) throw error;
      }
      const pause = this.#pause(Math.min(step, LONGEST_STEP) * (0.5 + Math.random() / 2));
      // A reader stays: its connection may be in the middle of a transaction.
      await (this.#endWriting ? this.#aside(pause) : this.#waiting(pause));
    }
  }

  async #pause(delay: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const passed = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, delay);
    });
    await abortable(passed, this.#signal).finally(() => clearTimeout(timer));
  }

  /** Others have their turn until the wait is over. */
  async #aside<T>(wait: Promise<T>): Promise<T> {
    this.#stepAside();
    const value = await this.#waiting(wait);
    this.#leave = await this.#waiting(this.#turns.take(this.#signal));
    return value;
  }

  async #waiting<T>(wait: Promise<T>): Promise<T> {
    if (!this.#wrote) this.#obstacle = LOCKED;
    const value = await wait;
    this.#obstacle = undefined;
    return value;
  }

  #stepAside(): void {
    this.#leave?.();
    this.#leave = undefined;
  }

  /** The client's reason has room for what the request waited for: that nothing was done cannot be known otherwise. */
  readonly #excuse = (): void => {
    const reason: unknown = this.#signal?.reason;
    if (this.#obstacle === undefined || !(reason instanceof Error)) return;
    if ("notBegun" in reason) reason.notBegun = this.#obstacle;
  };
}
