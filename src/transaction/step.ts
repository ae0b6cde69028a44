import { DatabaseError, TransactionConflictError } from "../errors.ts";
import type { Settings } from "../calls/settings.ts";
import { changes } from "../calls/read_only.ts";
import type { Facts } from "../schema/facts.ts";
import type { Prepared } from "../sql/prepare.ts";
import type { Statement } from "../sql/statement.ts";
import type { Result } from "../sql/value.ts";
import type { CallMeter } from "../time/meter.ts";
import type { Keys } from "./told_rows.ts";
import { HeededPromise } from "./heeded_promise.ts";

/** One statement that was issued in a transaction and waits for its result. */
export class Step {
  /** As it was given. */
  readonly form: Statement;
  readonly #prepare: (facts: Facts | undefined) => Prepared;
  #facts: Facts | undefined;
  #prepared: Prepared;
  readonly settings: Settings;
  /** Its position among the statements of the transaction, or in the batch it came with. */
  readonly index: number;
  /** Its rows have to be the same at commit. */
  readonly guarded: boolean;
  /** Settles when the statement is done; it never causes an unhandled rejection by itself. */
  readonly result: HeededPromise<Result>;
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
    this.result = new HeededPromise((resolve, reject) => {
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
