import { LockLostError } from "../errors.ts";
import type { Executor } from "../calls/executor.ts";
import type { BatchRelease, LockHandle } from "../locks/lock.ts";
import { waitAtMost } from "../time/wait_at_most.ts";
import type { Prepared } from "../sql/prepare.ts";
import type { Deadline } from "../time/deadline.ts";
import { own } from "../commit/own_statements.ts";

/** What a release may take after the end of the transaction's time, in milliseconds. */
const GRACE = 250;

/** The lock of a transaction while it is held: believed only as far as its clocks go, and let go of on every path. */
export class HeldLock {
  readonly #handle: LockHandle;
  readonly #riding: BatchRelease | undefined;
  #released: Promise<void> | undefined;

  /** @param client The one of the transaction. */
  constructor(handle: LockHandle, client: Executor) {
    this.#handle = handle;
    this.#riding = handle.releaseWith?.(client);
  }

  /** Fires when the lock is lost. */
  get signal(): AbortSignal {
    return this.#handle.signal;
  }

  /**
   * Asks the clocks, as a process that was stopped may run on before its timers do.
   *
   * @throws {LockLostError} If the lock may be somebody else's by now.
   */
  check(): void {
    const handle = this.#handle;
    handle.throwIfLost();
    if (handle.held) return;
    throw new LockLostError("The lock is not held any more", { lock: handle.name });
  }

  /** Why the lock is not held any more, if so. */
  lost(): unknown {
    try {
      this.check();
      return undefined;
    } catch (error) {
      return error;
    }
  }

  /** What frees the lock at the end of a batch, where it is kept in the same database. */
  get statements(): Prepared[] {
    const { statement } = this.#riding ?? {};
    return statement === undefined ? [] : [own(statement.sql, ...statement.params)];
  }

  /** A batch with the {@linkcode statements} was applied. */
  applied(): void {
    this.#riding?.applied();
  }

  /**
   * Lets go, once. Whatever becomes of it, what the transaction did stands, and a lease runs out by itself: so nobody
   * waits for that much longer than he would for the transaction.
   */
  async release({ remaining, signal }: Deadline): Promise<void> {
    this.#released ??= this.#release();
    const longest = Math.max(GRACE, signal?.aborted ? 0 : remaining);
    await waitAtMost(this.#released, longest).catch(() => {});
  }

  async #release(): Promise<void> {
    try {
      await this.#handle.release();
    } catch {
      // A lock that breaks its contract must not make a commit look as if it had failed.
    }
  }
}
