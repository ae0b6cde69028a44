import { type AcquireOptions, type Lock, type LockHandle, LockLostError } from "../../mod.ts";

/** A lock that tells what was done with it, and is lost when a test says so. */
export class ToldLock implements Lock {
  readonly name = "stock";
  readonly told: string[] = [];
  readonly asked: AcquireOptions[] = [];
  /** Its clocks say that the lease ran out, before any signal fires. */
  expired = false;
  #controller = new AbortController();

  acquire(options: AcquireOptions = {}): Promise<LockHandle> {
    this.told.push("acquire");
    this.asked.push(options);
    this.expired = false;
    this.#controller = new AbortController();
    const { signal } = this.#controller;
    const release = (): Promise<boolean> => {
      this.told.push("release");
      return Promise.resolve(true);
    };
    const isHeld = (): boolean => !this.expired && !signal.aborted;
    return Promise.resolve({
      name: this.name,
      token: "t",
      get held() {
        return isHeld();
      },
      signal,
      throwIfLost: () => signal.throwIfAborted(),
      release,
      [Symbol.asyncDispose]: async () => void await release(),
    });
  }

  /** Somebody else may have it by now. */
  lose(): LockLostError {
    const error = new LockLostError("The lock stock was lost", { lock: this.name });
    this.#controller.abort(error);
    return error;
  }
}
