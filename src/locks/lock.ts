/** How long and until when to wait for a lock. */
export interface AcquireOptions {
  /** Milliseconds; 0 tries once, Infinity waits. @default {10000} */
  timeout?: number;
  /** Ends the wait with its own reason. */
  signal?: AbortSignal;
}

/** Mutual exclusion under a name. It is advisory: correctness comes from the guard in the commit. */
export interface Lock {
  /** What is locked. */
  readonly name: string;
  /** Waits until the lock is held. */
  acquire(options?: AcquireOptions): Promise<LockHandle>;
}

/** A lock while it is held. */
export interface LockHandle extends AsyncDisposable {
  /** What is locked. */
  readonly name: string;
  /** Who holds it. */
  readonly token: string;
  /** Whether it is still held, as far as this process knows. */
  readonly held: boolean;
  /** Fires when the lock is lost. */
  readonly signal: AbortSignal;
  /** Throws if the lock was lost. */
  throwIfLost(): void;
  /** Lets go; true if this call freed it. It never throws. */
  release(): Promise<boolean>;
}
