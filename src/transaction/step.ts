import { DatabaseError, TimeoutError, TransactionConflictError } from "../errors.ts";
import type { Settings } from "../calls/settings.ts";
import { changes } from "../sql/analyse.ts";
import type { Facts } from "../schema/facts.ts";
import type { Prepared } from "../sql/prepare.ts";
import type { Statement } from "../sql/statement.ts";
import type { Result } from "../sql/value.ts";
import type { CallMeter } from "../time/meter.ts";
import type { Keys } from "./returned_keys.ts";
import { TrackedPromise } from "./tracked_promise.ts";
import type { CallOptions } from "../calls/executor.ts";
import { Closing } from "../time/closing.ts";
import { Interrupted, within } from "../time/within.ts";

/** One statement that was issued in a transaction and waits for its result. */
export class Step {
  /** As it was given. */
  readonly form: Statement;
  readonly #prepare: (facts: Facts | undefined) => Prepared;
  #facts: Facts | undefined;
  #prepared: Prepared;
  /** How its result is made, and how long it may take. */
  readonly settings: Settings;
  /** Its position among the statements of the transaction, or in the batch it came with. */
  readonly index: number;
  /** Its rows have to be the same at commit. */
  readonly guarded: boolean;
  /** Settles when the statement is done; it never causes an unhandled rejection by itself. */
  readonly result: TrackedPromise<Result>;
  /** Why it failed. */
  error: unknown;
  /** It has its result, or failed. */
  done = false;
  /** The keys of the rows that it told when it was tried first. */
  keys: Keys | undefined;
  /** Guards cannot say what it depends on. */
  judged = false;
  /** Its caller may give it up before it is done. */
  limited = false;
  /** Counts what is sent for it. */
  meter: CallMeter | undefined;
  #resolve!: (result: Result) => void;
  #reject!: (error: unknown) => void;

  /** @param prepare Makes it ready to send, by what is known of the schema. */
  constructor(
    form: Statement,
    prepare: (facts: Facts | undefined) => Prepared,
    settings: Settings,
    index: number,
    guarded: boolean,
  ) {
    this.form = form;
    this.#prepare = prepare;
    this.#prepared = prepare(undefined);
    this.settings = settings;
    this.index = index;
    this.guarded = guarded;
    this.result = new TrackedPromise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // The commit reports what nobody awaited.
    this.result.whenSettled(() => {});
  }

  /** The statement as it was given. */
  get prepared(): Prepared {
    return this.#prepared;
  }

  /**
   * The statement as it is sent.
   *
   * @throws {NotSupportedError} If it leaves something to the schema that nobody can write out.
   */
  by(facts: Facts): Prepared {
    if (facts !== this.#facts) this.#prepared = this.#prepare(facts);
    this.#facts = facts;
    return this.#prepared;
  }

  /** Whether it changes data. */
  get writes(): boolean {
    return changes(this.prepared.analysis);
  }

  /** Hands over the result. */
  succeed(result: Result): void {
    if (this.done) return;
    this.done = true;
    this.#resolve(result);
  }

  /** Hands over the error. */
  fail(error: unknown): void {
    if (this.done) return;
    this.done = true;
    this.error = error;
    this.#reject(error);
  }
}

/** A conflict, or a write that was kept back and failed: what the transaction holds cannot be committed any more. */
export function isFinal(error: unknown): boolean {
  return error instanceof TransactionConflictError ||
    (error instanceof DatabaseError && error.statementIndex !== undefined);
}

/** A statement's limits end the statement; what ends the transaction ends the wait for it by itself. */
export const NEVER: Closing = new Closing();

/** Fails statements that were issued together when their own limits say so; the transaction can go on without them. */
export function limit(steps: readonly Step[], { signal, timeout }: CallOptions): void {
  if (signal === undefined && timeout === undefined) return;
  for (const step of steps) step.limited = true;
  const settled = (): Promise<void> => new Promise((resolve) => whenAllSettled(steps, resolve));
  within(timeout ?? Infinity, { abort: signal, closing: NEVER }, settled).catch(
    (error: unknown) => {
      const aborted = error instanceof Interrupted && error.by === "abort";
      const reason: unknown = aborted ? signal?.reason : tooLate();
      for (const step of steps) step.fail(reason);
    },
  );
}

/** Fires when nobody waits for any of the statements any more; `undefined` where somebody does until the end. */
export function abandonment(steps: readonly Step[]): AbortSignal | undefined {
  if (!steps.every(({ limited }) => limited)) return undefined;
  const controller = new AbortController();
  whenAllSettled(steps, () => controller.abort());
  return controller.signal;
}

function whenAllSettled(steps: readonly Step[], callback: () => void): void {
  let left = steps.length;
  for (const step of steps) step.result.whenSettled(() => --left === 0 && callback());
}

function tooLate(): TimeoutError {
  return new TimeoutError(
    "The statement took longer than its `timeout`: nothing of it was kept, and the transaction can go on",
  );
}
