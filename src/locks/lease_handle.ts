import type { Executor } from "../client/executor.ts";
import type { Lease } from "./lease.ts";
import { type LeaseRow, persist } from "./lease_row.ts";
import type { BatchRelease, LockHandle } from "./lock.ts";

/** How long a release is tried, in milliseconds: behind that the lease runs out by itself. */
const RELEASE_LIMIT = 3_000;

/** What a {@linkcode LeaseHandle} is made of. */
export interface LeaseHandleOptions {
  readonly name: string;
  readonly token: string;
  readonly client: Executor;
  readonly row: LeaseRow;
  readonly lease: Lease;
  /** Called once when the next one of this process may come. */
  readonly leave: () => void;
}

/** A lease while it is held. */
export class LeaseHandle implements LockHandle {
  readonly #options: LeaseHandleOptions;
  #over = false;

  /** From now on the next one waits for this handle. */
  constructor(options: LeaseHandleOptions) {
    this.#options = options;
    // One that was lost may be never released.
    options.lease.signal.addEventListener("abort", options.leave, { once: true });
  }

  /** See {@linkcode LockHandle.name}. */
  get name(): string {
    return this.#options.name;
  }

  /** See {@linkcode LockHandle.token}. */
  get token(): string {
    return this.#options.token;
  }

  /** See {@linkcode LockHandle.held}. */
  get held(): boolean {
    return this.#options.lease.held;
  }

  /** See {@linkcode LockHandle.signal}. */
  get signal(): AbortSignal {
    return this.#options.lease.signal;
  }

  /** See {@linkcode LockHandle.throwIfLost}. */
  throwIfLost(): void {
    this.#options.lease.throwIfLost();
  }

  /** See {@linkcode LockHandle.release}. */
  async release(): Promise<boolean> {
    if (!this.#end()) return false;
    const { row, token, leave } = this.#options;
    const freed = await persist((options) => row.release(token, options), RELEASE_LIMIT);
    leave();
    return freed ?? false;
  }

  /** See {@linkcode LockHandle.releaseWith}. */
  releaseWith(client: Executor): BatchRelease | undefined {
    const { row, token, leave } = this.#options;
    if (client !== this.#options.client) return undefined;
    return {
      statement: row.releaseStatement(token),
      applied: () => {
        if (this.#end()) leave();
      },
    };
  }

  /** Lets go. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  /** Whether it was held until now. */
  #end(): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#options.lease.end();
    return true;
  }
}
