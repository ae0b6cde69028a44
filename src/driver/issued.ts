import { HeededPromise } from "../transaction/heeded_promise.ts";
import type { Follower } from "./passing.ts";

/** A statement that failed, and the promise that says so. */
interface Failed {
  readonly error: unknown;
  readonly told: HeededPromise<unknown>;
}

/**
 * The statements that an ORM has sent in one run of a transaction. A driver waits for their results to read them, so the
 * client believes that somebody looks at every error: this is what knows whether the user of the ORM did.
 */
export class Issued implements Follower {
  readonly #running = new Set<HeededPromise<unknown>>();
  readonly #failed: Failed[] = [];
  #ended = false;

  /** See {@linkcode Follower.follow}. */
  follow<T>(issue: () => Promise<T>): Promise<T> {
    const result = issue();
    if (this.#ended) return result;
    const told = new HeededPromise<T>((resolve, reject) => {
      result.then(
        (value) => {
          this.#running.delete(told);
          resolve(value);
        },
        (error) => {
          this.#running.delete(told);
          this.#failed.push({ error, told });
          reject(error);
        },
      );
    });
    this.#running.add(told);
    // The transaction tells the error where nobody else does.
    told.whenSettled(() => {});
    return told;
  }

  /**
   * Waits for what is still under way; called where the function of the transaction has ended.
   *
   * @throws What a statement has thrown that nobody waited for: without it the rest must not be stored.
   */
  async settle(): Promise<void> {
    while (this.#running.size > 0) {
      await Promise.all(
        [...this.#running].map((told) => new Promise<void>((resolve) => told.whenSettled(resolve))),
      );
    }
    this.#ended = true;
    const forgotten = this.#failed.find(({ told }) => !told.heeded);
    if (forgotten !== undefined) throw forgotten.error;
  }
}

/**
 * Runs the function of a transaction of an ORM, and waits for the statements that it has sent.
 *
 * @param fn Is told what follows them.
 * @throws What it throws, or what a statement has thrown that nobody waited for.
 * @throws {TypeError} If it answers no promise: queries of an ORM run when somebody waits for them.
 */
export async function runIssuing<T>(fn: (issued: Issued) => Promise<T>): Promise<T> {
  const issued = new Issued();
  const running: Promise<T> | undefined = fn(issued);
  if (typeof running?.then !== "function") {
    throw new TypeError(
      "Cannot run a transaction whose function answers no promise: make it async, and await each of its queries",
    );
  }
  const result = await running;
  await issued.settle();
  return result;
}
