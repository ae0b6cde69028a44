import { OperationalError, TimeoutError } from "./errors.ts";
import { Closing } from "./time/closing.ts";
import type { Deadline } from "./time/deadline.ts";
import { Interrupted, within } from "./time/within.ts";

/**
 * Workers refuse to wait in one request for what another one has sent: there only those calls share that are made at
 * once, which belong to one request.
 */
export const ISOLATED: boolean = "WebSocketPair" in globalThis;

/** How long calls whose part is there wait for those that were made before them, in milliseconds: these load the same. */
const PATIENCE = 500;

/** Calls that were made at once, and load together. */
interface Turn<Part> {
  readonly part: Promise<Part>;
  /** Others may join them. */
  open: boolean;
  /** How many have not gone on. */
  waiting: number;
}

/**
 * A part of the package that is loaded by the first call that needs it. What is kept is the part, never its promise: on
 * Workers a promise of one request is dead in the next. Only calls that are made at once share it. All go on in their
 * order, in which engines do not keep the promises of one module.
 */
export class Late<Part> {
  readonly #name: string;
  readonly #load: () => Promise<Part>;
  #part: Part | undefined;
  /** The calls that were made last. */
  #last: Turn<Part> | undefined;

  /**
   * Loads nothing.
   *
   * @param name What the part is for, for errors.
   * @param load Imports it, as `() => import("./part.ts")`: bundlers look for a name that stands there.
   */
  constructor(name: string, load: () => Promise<Part>) {
    this.#name = name;
    this.#load = load;
  }

  /**
   * Runs `work` with the part: at once where it is there, else when it is.
   *
   * @param deadline Of the call.
   * @param known What is certain where the part cannot be loaded: an error begins with it.
   * @throws {OperationalError} If the part cannot be loaded; the next call tries again.
   * @throws {TimeoutError} If it was not loaded in time; and the reason of the deadline's signal.
   */
  use<T>(
    deadline: Deadline,
    work: (part: Part) => T | Promise<T>,
    known = "Nothing was sent",
  ): T | Promise<T> {
    const part = this.#part;
    const waits = part === undefined || isPending(this.#last);
    return waits ? this.#first(deadline, work, known) : work(part);
  }

  async #first<T>(
    deadline: Deadline,
    work: (part: Part) => T | Promise<T>,
    known: string,
  ): Promise<T> {
    const { remaining, signal } = deadline;
    let turn: Turn<Part> | undefined;
    try {
      const limits = { abort: signal, closing: new Closing() };
      this.#part = await within(remaining, limits, () => (turn = this.#join()).part);
    } catch (error) {
      if (!(error instanceof Interrupted)) throw this.#missing(error, known);
      if (error.by === "abort") throw signal?.reason;
      throw new TimeoutError(`${known}, as ${this.#what} was not loaded in time`);
    } finally {
      if (turn !== undefined) turn.waiting--;
    }
    return await work(this.#part);
  }

  #join(): Turn<Part> {
    if (this.#last?.open !== true) {
      const turn = { part: this.#loadBehind(this.#last), open: true, waiting: 0 };
      // What runs until then belongs to the same request.
      queueMicrotask(() => turn.open = false);
      this.#last = turn;
    }
    this.#last.waiting++;
    return this.#last;
  }

  async #loadBehind(before: Turn<Part> | undefined): Promise<Part> {
    const part = await this.#load();
    if (before !== undefined && isPending(before)) {
      const limits = { abort: undefined, closing: new Closing() };
      await within(PATIENCE, limits, () => before.part).catch(() => {});
    }
    return part;
  }

  get #what(): string {
    return `the part of @tangled/rqlite for ${this.#name}`;
  }

  #missing(cause: unknown, known: string): OperationalError {
    const message = `${known}, as ${this.#what} could not be loaded: ` +
      "are all files of the package there, and of the build that is running?";
    return new OperationalError(message, { retryable: true, cause });
  }
}

/** Whether calls have not gone on, and may be waited for. */
function isPending(turn: Turn<unknown> | undefined): boolean {
  return !ISOLATED && turn !== undefined && turn.waiting > 0;
}
