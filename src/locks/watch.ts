import type { Seen } from "./lease_row.ts";

/** Watches somebody's lease: it has run out when the row was the same for as long, by the clock of whoever watches. */
export class Watch {
  #last: Seen | undefined;
  #since = 0;

  /**
   * Takes what was read; answers the milliseconds after which it can be taken over, 0 if it can be now.
   *
   * @param asked When the read was sent, by `performance.now()`.
   */
  see(seen: Seen, asked: number): number {
    if (this.#last === undefined || !isSame(seen, this.#last)) {
      this.#last = seen;
      // The holder may have shown itself at any moment until the answer.
      this.#since = performance.now();
    }
    return Math.max(0, this.#since + seen.lease - asked);
  }
}

function isSame(a: Seen, b: Seen): boolean {
  return a.owner === b.owner && a.version === b.version && a.beat === b.beat;
}
