import { INSPECT, shown } from "../calls/shown.ts";
import type { Executor } from "../calls/executor.ts";
import type { SqlFragment } from "../sql/fragment.ts";
import type { Lease } from "./lease.ts";
import type { BatchRelease, LockHandle } from "./lock.ts";
import type { Turn } from "./queue.ts";

/** What a handle is made of. */
export interface LeaseHandleOptions {
  /** What is locked. */
  readonly name: string;
  /** Who holds it, told from all others. */
  readonly token: string;
  /** Its number, if it has one. */
  readonly fencingToken?: bigint;
  /** Renews it, and knows when it is lost. */
  readonly lease: Lease;
  /** Frees the lease, and never throws; true if it was still held. */
  readonly free: () => Promise<boolean>;
  /** What frees it within a batch of this client, if anything does. */
  readonly freeWith?: (client: Executor) => SqlFragment | undefined;
  /** Called when the next one of this process may come; again does no harm. */
  readonly leave: () => void;
}

/** A lease while it is held. */
class LeaseHandle implements LockHandle {
  readonly #options: LeaseHandleOptions;
  #over = false;

  /** From now on the next one waits for this handle. */
  constructor(options: LeaseHandleOptions) {
    this.#options = options;
    // One that was lost may be never released.
    options.lease.onLoss(options.leave);
  }

  /** What is locked. */
  get name(): string {
    return this.#options.name;
  }

  /** Who holds it, told from all others. */
  get token(): string {
    return this.#options.token;
  }

  /** Greater than that of whoever held it before; `undefined` where the lock has none. */
  get fencingToken(): bigint | undefined {
    return this.#options.fencingToken;
  }

  /** Whether nobody else can have it yet, by the stricter of two clocks. */
  get held(): boolean {
    return this.#options.lease.held;
  }

  /** Fires when it is lost. */
  get signal(): AbortSignal {
    return this.#options.lease.signal;
  }

  /**
   * Asks the clocks.
   *
   * @throws {LockLostError} If it was lost, or this handle was released.
   */
  throwIfLost(): void {
    this.#options.lease.throwIfLost();
  }

  /** Lets go; true if this call freed it. It never throws. */
  async release(): Promise<boolean> {
    if (!this.#end()) return false;
    const { free, leave } = this.#options;
    const freed = await free();
    leave();
    return freed;
  }

  /** How to let go within a batch of `client`, if that is where the lease is kept. */
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

/** Takes a lease in the turn of this process; the next one gets it when the handle is released, or nothing was taken. */
export async function acquireInTurn(
  turn: Turn,
  acquire: () => Promise<Omit<LeaseHandleOptions, "leave">>,
): Promise<LockHandle> {
  const leave = (): void => turn.leave();
  try {
    return new LeaseHandle({ ...await acquire(), leave });
  } catch (error) {
    leave();
    throw error;
  }
}
