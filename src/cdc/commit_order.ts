import type { BatchCommit } from "./batch.ts";

/**
 * Where a commit stands in the stream of all commits: its index in the Raft log, and how many commits of the same entry
 * are in front of it. Of an entry with several, the server tells the index with the first only.
 */
export interface Place {
  /** The index of the entry. */
  readonly index: number;
  /** The number of the commit in the entry, from 0 on. */
  readonly commit: number;
}

/** A place, and how many of the events of that commit are meant. */
export interface Position extends Place {
  /** The number of the event in the commit, from 1 on. */
  readonly event: number;
}

/** In front of everything. */
export const START: Position = { index: 0, commit: 0, event: 0 };

const FORM = /^(\d{1,15})\.(\d{1,15})\.(\d{1,15})$/;

/** Below 0 if `a` is in front of `b`, 0 if they are the same. */
export function compare(a: Place, b: Place): number {
  return a.index - b.index || a.commit - b.commit;
}

/** The text of a position. */
export function textOf({ index, commit, event }: Position): string {
  return `${index}.${commit}.${event}`;
}

/** The position of a text; `undefined` if it is none. */
export function positionOf(text: string): Position | undefined {
  const [, index, commit, event] = FORM.exec(text) ?? [];
  if (index === undefined) return undefined;
  return { index: Number(index), commit: Number(commit), event: Number(event) };
}

/** A commit of a batch, and its place. */
export interface PlacedCommit {
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
export class CommitOrder {
  readonly #since: Position;
  #last: Place;

  /** @param since What was dealt with before; of its own commit there may be more to come. */
  constructor(since: Position) {
    this.#since = since;
    this.#last = { ...since, commit: since.commit - 1 };
  }

  /** Gives places to the commits of a batch. */
  place(commits: readonly BatchCommit[]): PlacedCommit[] {
    let place = this.#behind(commits.find(({ index }) => index > 0)?.index);
    return commits.map((commit) => {
      const { index } = commit;
      place = index > 0 ? { index, commit: 0 } : { ...place, commit: place.commit + 1 };
      const skip = compare(place, this.#since) === 0 ? this.#since.event : 0;
      return { place, commit, skip };
    });
  }

  /** Whether a place was never reached. */
  isFresh({ place }: PlacedCommit): boolean {
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
