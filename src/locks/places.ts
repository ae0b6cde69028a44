import type { Executor } from "../calls/executor.ts";
import type { Seen } from "./lease_row.ts";
import { Queue } from "./queue.ts";
import { Watch } from "./watch.ts";

/** For how many names of a client it is remembered who held them, while nobody waits. */
const MOST_WATCHED = 1_000;

/**
 * How long nothing may be heard of whoever asks, in milliseconds; longer than any request takes. On Workers its request
 * may be gone, and only the row tells.
 */
export const SILENCE = 6_000;

/** What the locks of one name and client share within a process: one of them asks at a time. */
export interface Place {
  readonly queue: Queue;
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
    const [oldest] = this.#watched.keys();
    if (this.#watched.size > MOST_WATCHED) this.#watched.delete(oldest!);
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
