import { OperationalError, TimeoutError } from "../errors.ts";
import { Closing, type Deadline, Interrupted, within } from "./deadline.ts";

/**
 * A part of the package that is loaded by the first call that needs it. What is kept is the part, never its promise: on
 * Workers a promise of one request is dead in the next. Only calls that are made at once share it, and so go on in their
 * order, in which engines do not keep the promises of one module.
 */
export class Late<Part> {
  readonly #name: string;
  readonly #load: () => Promise<Part>;
  #part: Part | undefined;
  /** Of the calls that are made at once. */
  #loading: Promise<Part> | undefined;

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
    return this.#part === undefined ? this.#first(deadline, work, known) : work(this.#part);
  }

  async #first<T>(
    deadline: Deadline,
    work: (part: Part) => T | Promise<T>,
    known: string,
  ): Promise<T> {
    const { remaining, signal } = deadline;
    try {
      const limits = { abort: signal, closing: new Closing() };
      this.#part = await within(remaining, limits, () => this.#loaded());
    } catch (error) {
      if (!(error instanceof Interrupted)) throw this.#missing(error, known);
      if (error.by === "abort") throw signal!.reason;
      throw new TimeoutError(`${known}, as ${this.#what} was not loaded in time`);
    }
    return await work(this.#part);
  }

  #loaded(): Promise<Part> {
    if (this.#loading === undefined) {
      this.#loading = this.#load();
      // What runs until then belongs to the same request.
      queueMicrotask(() => this.#loading = undefined);
    }
    return this.#loading;
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
