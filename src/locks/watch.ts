import type { Seen } from "./lease_row.ts";

/**
 * Watches somebody's lease: it has run out when the row was the same for as long, by the clock of whoever watches. Who
 * looks again later goes on with it, as a holder that lives would have changed the row meanwhile.
 */
export class Watch {
  #last: Seen | undefined;
  #since = 0;

  /**
   * Takes what was read; answers the milliseconds after which it can be taken over, 0 if it can be now.
   *
   * @param asked When the read was sent, by `performance.now()`.
   */
  see(seen: Seen, asked: number): number {
    if (seen.owner === null) {
      this.forget();
      return 0;
    }
    if (this.#last === undefined || !isSame(seen, this.#last)) {
      this.#last = seen;
      // The holder may have shown itself at any moment until the answer.
      this.#since = performance.now();
    }
    return Math.max(0, this.#since + seen.lease - asked);
  }

  /** Nobody else has it any more. */
  forget(): void {
    this.#last = undefined;
  }

  /** Whether there is somebody to watch. */
  get watches(): boolean {
    return this.#last !== undefined;
  }

  /** What is known of the holder, for whoever waited in vain. */
  get told(): string | undefined {
    if (this.#last === undefined) return undefined;
    const silent = Math.round(performance.now() - this.#since);
    return `its holder has shown no sign of life for ${silent} ms; after ${this.#last.lease} ms of that, its lease, it is taken over`;
  }
}

function isSame(a: Seen, b: Seen): boolean {
  return a.owner === b.owner && a.version === b.version && a.beat === b.beat;
}
