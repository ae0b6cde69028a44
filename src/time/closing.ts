import { CallTimer } from "./call_timer.ts";

/**
 * Tells those who wait that the client is closed. Workers refuse to make an `AbortController` at module scope, where
 * clients may stand, before September 2026.
 */
export class Closing {
  readonly #waiting = new Set<() => void>();
  #closed = false;

  /** Whether it was closed. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Tells everybody, once. */
  close(): void {
    this.#closed = true;
    for (const tell of this.#waiting) {
      try {
        tell();
      } catch {
        // On Workers nobody can abort what another request sent; who waits for it was told.
      }
    }
    CallTimer.clear();
  }

  /** Somebody waits; the function is told until it is given to {@linkcode leave}. */
  enter(tell: () => void): void {
    this.#waiting.add(tell);
  }

  /** Nobody waits there any more. */
  leave(tell: () => void): void {
    this.#waiting.delete(tell);
  }
}
