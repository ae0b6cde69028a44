import { TrackedPromise } from "../transaction/tracked_promise.ts";
import { hasMethods, isTransaction, type RqliteClient } from "./target.ts";

/** What knows whether the user of an ORM waits for what was sent. */
export interface Follower {
  /**
   * Follows statements.
   *
   * @param issue Sends them.
   * @returns The same outcome for the user, who may forget it.
   */
  follow<T>(issue: () => Promise<T>): Promise<T>;
}

/** A statement that failed, and the promise that says so. */
interface Failed {
  readonly error: unknown;
  readonly promise: TrackedPromise<unknown>;
}

/**
 * The statements that an ORM has sent in one run of a transaction. A driver waits for their results to read them, so the
 * client believes that somebody looks at every error: this is what knows whether the user of the ORM did.
 */
export class Issued implements Follower {
  readonly #running = new Set<TrackedPromise<unknown>>();
  readonly #failed: Failed[] = [];
  #ended = false;

  /** Follows statements of the run: what fails is told where somebody waits, or else by `settle`. */
  follow<T>(issue: () => Promise<T>): Promise<T> {
    const result = issue();
    if (this.#ended) return result;
    const promise = new TrackedPromise<T>((resolve, reject) => {
      result.then(
        (value) => {
          this.#running.delete(promise);
          resolve(value);
        },
        (error) => {
          this.#running.delete(promise);
          this.#failed.push({ error, promise });
          reject(error);
        },
      );
    });
    this.#running.add(promise);
    // The transaction tells the error where nobody else does.
    promise.whenSettled(() => {});
    return promise;
  }

  /**
   * Waits for what is still under way; called where the function of the transaction has ended.
   *
   * @throws What a statement has thrown that nobody waited for: without it the rest must not be stored.
   */
  async settle(): Promise<void> {
    while (this.#running.size > 0) {
      await Promise.all(
        [...this.#running].map((promise) =>
          new Promise<void>((resolve) => promise.whenSettled(resolve))
        ),
      );
    }
    this.#ended = true;
    const forgotten = this.#failed.find(({ promise }) => !promise.handled);
    if (forgotten !== undefined) throw forgotten.error;
  }
}

/**
 * Runs the function of a transaction of an ORM, and waits for the statements that it has sent.
 *
 * @param fn Is told what follows them.
 * @throws What it throws, or what a statement has thrown that nobody waited for.
 * @throws {TypeError} If it answers no promise: queries of an ORM run when somebody waits for them.
 *
 * @example
 * ```ts
 * import { connect } from "@tangled/rqlite";
 * import { runIssuing } from "@tangled/rqlite/driver";
 * import { embedded } from "@tangled/rqlite/embedded";
 *
 * const db = connect(embedded());
 * const one = await db.transaction((tx) =>
 *   runIssuing(async (issued) => await issued.follow(() => tx.value("SELECT 1")))
 * );
 * console.log(one); // 1
 * await db.close();
 * ```
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

/**
 * What an ORM runs on outside of transactions of its own. That may be a transaction of the client, or of a Hono request,
 * which looks itself for errors that nobody waited for; a driver that reads every result would make it believe that
 * somebody always does. So whoever waits for the ORM counts, and nobody else.
 *
 * @example
 * ```ts
 * import { connect } from "@tangled/rqlite";
 * import { CELLS, cellsOf, Passing } from "@tangled/rqlite/driver";
 * import { embedded } from "@tangled/rqlite/embedded";
 *
 * const db = connect(embedded());
 * const passing = new Passing(db);
 * const rows = await passing.follow(async () =>
 *   cellsOf(await passing.client.execute("SELECT 1, 'one'", [], CELLS))
 * );
 * console.log(rows); // [ [ 1, "one" ] ]
 * await db.close();
 * ```
 */
export class Passing implements Follower {
  /** Sends statements whose results are read without anybody counting. */
  readonly client: Pick<RqliteClient, "execute" | "batch" | "transaction">;
  /** Whether it runs on a transaction, whose own ones are nested. */
  readonly nested: boolean;
  /** What is being followed has sent. */
  #sent: TrackedPromise<unknown>[] | undefined;

  /** Sends nothing. */
  constructor(client: RqliteClient) {
    this.nested = isTransaction(client);
    this.client = {
      execute: (sql, params, options) => this.#read(client.execute(sql, params, options)),
      batch: (statements, options) => this.#read(client.batch(statements, options)),
      transaction: (fn, options) => this.#read(client.transaction(fn, options)),
    };
  }

  /** Follows statements that are sent by {@linkcode Passing.client}. */
  follow<T>(issue: () => Promise<T>): Promise<T> {
    const around = this.#sent;
    const sent: TrackedPromise<unknown>[] = this.#sent = [];
    try {
      const result = issue();
      if (sent.length === 0) return result;
      const promise = new PassingPromise<T>((resolve) => resolve(result));
      promise.sent = sent;
      // The transaction tells the error where nobody else does.
      promise.whenSettled(() => {});
      return promise;
    } finally {
      this.#sent = around;
    }
  }

  #read<T>(sent: Promise<T>): Promise<T> {
    if (this.#sent === undefined || !isHeeded(sent)) return sent;
    this.#sent.push(sent);
    return Promise.prototype.then.call(sent) as Promise<T>;
  }
}

/** Not by its class, as the client may be one of another copy of the package. */
function isHeeded<T>(sent: Promise<T>): sent is TrackedPromise<T> {
  return hasMethods(sent, "whenSettled");
}

/** Whoever asks for it asks for what was sent, too. */
class PassingPromise<T> extends TrackedPromise<T> {
  sent: TrackedPromise<unknown>[] = [];

  override then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    for (const one of this.sent.splice(0)) one.then(undefined, () => {});
    return super.then(onFulfilled, onRejected);
  }
}
