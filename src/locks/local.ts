import { INSPECT, shown } from "../calls/shown.ts";
import { checkName, resolveAcquire } from "./acquire_options.ts";
import { keyOf } from "./identity.ts";
import type { AcquireOptions, Lock, LockHandle } from "./lock.ts";
import { released, tooLate } from "./lock_errors.ts";
import { Queue, type Turn } from "./queue.ts";

/**
 * Mutual exclusion within one process: whoever shares the object takes turns, first come first served, and it is handed
 * over directly. It is never lost. Other processes, workers and machines know nothing of it.
 *
 * @example
 * ```ts
 * import { LocalLock } from "@tangled/rqlite/locks";
 *
 * const lock = new LocalLock("report");
 * {
 *   await using _handle = await lock.acquire({ timeout: 1_000 });
 *   // one task of this process at a time
 * }
 * ```
 */
export class LocalLock implements Lock {
  /** What is locked; only for messages and for the order of {@linkcode withLock}. */
  readonly name: string;
  /** What it is, for whoever takes several locks: another text for each object. */
  readonly key: string;
  readonly #queue = new Queue();

  /**
   * Makes a lock of its own, also where another has the same name.
   *
   * @throws {TypeError} If the name is empty or no text.
   */
  constructor(name: string = "local") {
    this.name = checkName(name);
    this.key = keyOf("local", name, this);
  }

  /**
   * Waits until the lock is held.
   *
   * @throws {LockTimeoutError} If it was not to be had in time.
   * @throws {TypeError|RangeError} If an option is wrong.
   * @throws The signal's reason, if that fires.
   */
  async acquire(options?: AcquireOptions): Promise<LockHandle> {
    const { timeout, signal } = resolveAcquire(options);
    return new LocalHandle(
      this.name,
      await this.#queue.enter(timeout, () => tooLate(this.name), signal),
    );
  }

  /** How it is printed. */
  [INSPECT](): string {
    return shown("LocalLock", { name: this.name });
  }
}

/** A {@linkcode LocalLock} while it is held. */
class LocalHandle implements LockHandle {
  readonly name: string;
  readonly #turn: Turn;
  #held = true;
  #token: string | undefined;
  #signal: AbortSignal | undefined;

  constructor(name: string, turn: Turn) {
    this.name = name;
    this.#turn = turn;
  }

  // What hardly anybody asks for is made when asked for: it would be most of what the lock costs.
  get token(): string {
    return this.#token ??= crypto.randomUUID();
  }

  get held(): boolean {
    return this.#held;
  }

  get signal(): AbortSignal {
    return this.#signal ??= new AbortController().signal;
  }

  throwIfLost(): void {
    if (!this.#held) throw released(this.name);
  }

  release(): Promise<boolean> {
    const held = this.#held;
    this.#held = false;
    if (held) this.#turn.leave();
    return Promise.resolve(held);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  [INSPECT](): string {
    return shown("LockHandle", { name: this.name, held: this.held });
  }
}
