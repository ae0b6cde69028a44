import type { Executor } from "../calls/executor.ts";
import type { Seen } from "./rqlite_row.ts";
import { Queue } from "./queue.ts";

/** For how many names of a client it is remembered who held them, while nobody waits. */
const MOST_WATCHED = 1_000;

/**
 * How long nothing may be heard of whoever asks, in milliseconds; longer than any request takes. On Workers its request
 * may be gone, and only the row tells.
 */
export const SILENCE = 6_000;

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

/** What the locks of one name and client share within a process: one of them asks at a time. */
export interface Place {
  /** Those who wait in this process. */
  readonly queue: Queue;
  /** What is known of the holder. */
  readonly watch: Watch;
}

/** Those of one client. */
class Places {
  /** Where somebody is. */
  readonly #open = new Map<string, Place>();
  /** What the next one who comes goes on with, the oldest first. */
  readonly #watched = new Map<string, Watch>();

  of(name: string): Place {
    return this.#open.get(name) ?? this.#begin(name, this.#watchOf(name));
  }

  observe(name: string, seen: Seen, asked: number): void {
    const watch = this.#open.get(name)?.watch ?? this.#watchOf(name);
    watch.see(seen, asked);
    this.#remember(name, watch);
  }

  #begin(name: string, watch: Watch): Place {
    const place: Place = {
      queue: new Queue(() => {
        this.#open.delete(name);
        this.#remember(name, watch);
      }, SILENCE),
      watch,
    };
    this.#open.set(name, place);
    return place;
  }

  #watchOf(name: string): Watch {
    return this.#watched.get(name) ?? new Watch();
  }

  #remember(name: string, watch: Watch): void {
    this.#watched.delete(name);
    if (!watch.watches) return;
    this.#watched.set(name, watch);
    const [oldest = ""] = this.#watched.keys();
    if (this.#watched.size > MOST_WATCHED) this.#watched.delete(oldest);
  }
}

const PLACES = new WeakMap<Executor, Places>();

function placesOf(client: Executor): Places {
  const places = PLACES.get(client) ?? new Places();
  PLACES.set(client, places);
  return places;
}

/** The place of a name. */
export function placeOf(client: Executor, name: string): Place {
  return placesOf(client).of(name);
}

/**
 * Takes what was read by somebody who does not wait yet.
 *
 * @param asked When the read was sent, by `performance.now()`.
 */
export function observe(client: Executor, name: string, seen: Seen, asked: number): void {
  placesOf(client).observe(name, seen, asked);
}
