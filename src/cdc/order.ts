import type { BatchCommit } from "./batch.ts";
import { compare, type Place, type Position } from "./place.ts";

/** A commit of a batch, and its place. */
export interface Placed {
  /** Where it stands among all commits. */
  readonly place: Place;
  /** The commit. */
  readonly commit: BatchCommit;
  /** How many of its events were dealt with before. */
  readonly skip: number;
}

/**
 * Gives commits their places, and knows which came before. The server repeats batches, after a change of leader with other
 * borders between them, and a restarted node begins again at its last snapshot.
 */
export class Order {
  readonly #since: Position;
  #last: Place;

  /** @param since What was dealt with before; of its own commit there may be more to come. */
  constructor(since: Position) {
    this.#since = since;
    this.#last = { ...since, commit: since.commit - 1 };
  }

  /** Gives places to the commits of a batch. */
  place(commits: readonly BatchCommit[]): Placed[] {
    let place = this.#behind(commits.find(({ index }) => index > 0)?.index);
    return commits.map((commit) => {
      const { index } = commit;
      place = index > 0 ? { index, commit: 0 } : { ...place, commit: place.commit + 1 };
      const skip = compare(place, this.#since) === 0 ? this.#since.event : 0;
      return { place, commit, skip };
    });
  }

  /** Whether a place was never reached. */
  isFresh({ place }: Placed): boolean {
    return compare(place, this.#last) > 0;
  }

  /** The commits up to a place have come. */
  reach(place: Place): void {
    if (compare(place, this.#last) > 0) this.#last = place;
  }

  /**
   * What a batch follows on, for commits without an index at its beginning. They came before where the index behind them
   * did. Otherwise they may be new, and count as new: a change that comes twice is better than one that is lost.
   */
  #behind(first: number | undefined): Place {
    const last = compare(this.#last, this.#since) < 0 ? this.#since : this.#last;
    return first !== undefined && first <= last.index ? { index: 0, commit: 0 } : last;
  }
}
