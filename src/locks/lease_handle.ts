import { INSPECT, shown } from "../calls/shown.ts";
import type { Executor } from "../calls/executor.ts";
import type { SqlFragment } from "../sql/fragment.ts";
import type { Lease } from "./lease.ts";
import type { BatchRelease, LockHandle } from "./lock.ts";

/** What a {@linkcode LeaseHandle} is made of. */
export interface LeaseHandleOptions {
  readonly name: string;
  readonly token: string;
  readonly fencingToken?: bigint;
  readonly lease: Lease;
  /** Frees the lease, and never throws; true if it was still held. */
  readonly free: () => Promise<boolean>;
  /** What frees it within a batch of this client, if anything does. */
  readonly freeWith?: (client: Executor) => SqlFragment | undefined;
  /** Called when the next one of this process may come; again does no harm. */
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
    options.lease.onLoss(options.leave);
  }

  /** See {@linkcode LockHandle.name}. */
  get name(): string {
    return this.#options.name;
  }

  /** See {@linkcode LockHandle.token}. */
  get token(): string {
    return this.#options.token;
  }

  /** See {@linkcode LockHandle.fencingToken}. */
  get fencingToken(): bigint | undefined {
    return this.#options.fencingToken;
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
    const { free, leave } = this.#options;
    const freed = await free();
    leave();
    return freed;
  }

  /** See {@linkcode LockHandle.releaseWith}. */
  releaseWith(client: Executor): BatchRelease | undefined {
    const { freeWith, leave } = this.#options;
    const statement = freeWith?.(client);
    if (statement === undefined) return undefined;
    return {
      statement,
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

  /** How it is printed. */
  [INSPECT](): string {
    return shown("LockHandle", { name: this.name, held: this.held });
  }
}
