/** A promise that knows whether anybody has asked for its outcome, by `await`, `then` or `catch`. */
export class TrackedPromise<T> extends Promise<T> {
  /** What is made of it is an ordinary promise. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  #handled = false;

  /** Somebody asked. */
  get handled(): boolean {
    return this.#handled;
  }

  /** Asks for the outcome. */
  override then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#handled = true;
    return super.then(onFulfilled, onRejected);
  }

  /** Calls back when it is settled, without counting as somebody who asks. */
  whenSettled(callback: () => void): void {
    super.then(callback, callback);
  }
}
