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
