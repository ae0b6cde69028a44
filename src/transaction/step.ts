import { DatabaseError, TransactionConflictError } from "../errors.ts";
import type { Settings } from "../client/options.ts";
import { changes } from "../client/route.ts";
import type { Prepared } from "../sql/prepare.ts";
import type { Result } from "../sql/value.ts";

/** One statement that was issued in a transaction and waits for its result. */
export class Step {
  readonly prepared: Prepared;
  readonly settings: Settings;
  /** Its position among the statements of the transaction, or in the batch it came with. */
  readonly index: number;
  /** Its rows have to be the same at commit. */
  readonly guarded: boolean;
  /** Settles when the statement is done; it never causes an unhandled rejection by itself. */
  readonly result: Promise<Result>;
  /** Why it failed. */
  error: unknown;
  /** It has its result, or failed. */
  done = false;
  #resolve!: (result: Result) => void;
  #reject!: (error: unknown) => void;

  constructor(prepared: Prepared, settings: Settings, index: number, guarded: boolean) {
    this.prepared = prepared;
    this.settings = settings;
    this.index = index;
    this.guarded = guarded;
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // The commit reports what nobody awaited.
    this.result.catch(() => {});
  }

  /** Whether it changes data. */
  get writes(): boolean {
    return changes(this.prepared.analysis);
  }

  /** Hands over the result. */
  succeed(result: Result): void {
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
