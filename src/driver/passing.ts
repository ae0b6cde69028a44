import { HeededPromise } from "../transaction/heeded_promise.ts";
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

/**
 * What an ORM runs on outside of transactions of its own. That may be a transaction of the client, or of a Hono request,
 * which looks itself for errors that nobody waited for; a driver that reads every result would make it believe that
 * somebody always does. So whoever waits for the ORM counts, and nobody else.
 */
export class Passing implements Follower {
  /** Sends statements whose results are read without anybody counting. */
  readonly client: Pick<RqliteClient, "execute" | "batch" | "transaction">;
  /** It runs on a transaction, whose own ones are nested. */
  readonly nested: boolean;
  /** What is being followed has sent. */
  #sent: HeededPromise<unknown>[] | undefined;

  /** Sends nothing. */
  constructor(client: RqliteClient) {
    this.nested = isTransaction(client);
    this.client = {
      execute: (sql, params, options) => this.#read(client.execute(sql, params, options)),
      batch: (statements, options) => this.#read(client.batch(statements, options)),
      transaction: (fn, options) => this.#read(client.transaction(fn, options)),
    };
  }

  /** See {@linkcode Follower.follow}. */
  follow<T>(issue: () => Promise<T>): Promise<T> {
    const around = this.#sent;
    const sent: HeededPromise<unknown>[] = this.#sent = [];
    try {
      const result = issue();
      if (sent.length === 0) return result;
      const told = new PassingPromise<T>((resolve) => resolve(result));
      told.sent = sent;
      // The transaction tells the error where nobody else does.
      told.whenSettled(() => {});
      return told;
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
function isHeeded<T>(sent: Promise<T>): sent is HeededPromise<T> {
  return hasMethods(sent, "whenSettled");
}

/** Whoever asks for it asks for what was sent, too. */
class PassingPromise<T> extends HeededPromise<T> {
  sent: HeededPromise<unknown>[] = [];

  override then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    for (const one of this.sent.splice(0)) one.then(undefined, () => {});
    return super.then(onFulfilled, onRejected);
  }
}
