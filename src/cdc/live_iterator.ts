/** What an iterator needs of its query. */
export interface LiveSource<R> {
  /** The rows that an iterator has to give next. */
  rowsFor(iterator: LiveIterator<R>): Promise<readonly R[]>;
  /** It has ended. */
  leave(iterator: LiveIterator<R>): void;
}

/** One loop over the rows of a live query. By hand, as `return` of a generator waits for rows that may never come. */
export class LiveIterator<R> implements AsyncIterableIterator<readonly R[]> {
  /** Which changes the rows that it gave last have seen; -1 before the first. */
  seen = -1;
  /** It has to be a later run of the query: what was written before the loop began is in its first rows. */
  readonly after: number;
  readonly #source: LiveSource<R>;
  readonly #end: PromiseWithResolvers<IteratorResult<readonly R[]>> = Promise.withResolvers();
  #tail: Promise<unknown> = Promise.resolve();
  #wake: () => void = () => {};
  /** Whether its end, or its failure, was told. */
  #told = false;
  /** Whether it gives nothing more. */
  ended = false;

  /** @param after The number of the latest run. */
  constructor(source: LiveSource<R>, after: number) {
    this.#source = source;
    this.after = after;
    // Where nobody waits any more it is nobody's.
    this.#end.promise.catch(() => {});
  }

  /** The iterator itself. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The rows that come next; calls that wait are answered in turn. */
  next(): Promise<IteratorResult<readonly R[]>> {
    const next = this.#tail.then(() => this.#next());
    this.#tail = next.catch(() => {});
    return next;
  }

  /** Ends it, as `break` in a loop does. */
  return(): Promise<IteratorResult<readonly R[]>> {
    this.end();
    return Promise.resolve(END);
  }

  /** Ends it for who waits and for who asks. @param failure Why, if it is one. */
  end(failure?: { readonly reason: unknown }): void {
    if (this.ended) return;
    this.ended = true;
    if (failure === undefined) this.#end.resolve(END);
    else this.#end.reject(failure.reason);
    this.#source.leave(this);
  }

  /** There was a change. */
  wake(): void {
    this.#wake();
  }

  /** Waits for the next change. */
  change(): Promise<void> {
    return new Promise((resolve) => this.#wake = resolve);
  }

  async #next(): Promise<IteratorResult<readonly R[]>> {
    if (this.#told) return END;
    try {
      const step = this.ended ? this.#end.promise : this.#step();
      const result = await Promise.race([this.#end.promise, step]);
      this.#told = result.done ?? false;
      return result;
    } catch (reason) {
      this.#told = true;
      throw reason;
    }
  }

  async #step(): Promise<IteratorResult<readonly R[]>> {
    try {
      return { done: false, value: await this.#source.rowsFor(this) };
    } catch (reason) {
      this.end({ reason });
      throw reason;
    }
  }
}

const END: IteratorResult<never> = { done: true, value: undefined };
