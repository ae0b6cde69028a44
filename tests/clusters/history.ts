/** How a call ended, as the one who made it was told. */
export type Ended =
  | "done"
  /** It failed, and the error says that nothing was applied. */
  | "not done"
  /** It failed, and nobody can say what became of it. */
  | "unknown";

/** One call of a history. */
export interface Op<Did = unknown> {
  /** Who called; one caller makes one call at a time. */
  readonly caller: string;
  /** Milliseconds of a clock that all callers share; the call took place between the two, or never. */
  readonly start: number;
  readonly end: number;
  readonly ended: Ended;
  /** What was called, and what it answered. */
  readonly did: Did;
}

/** The calls that may have changed something: those that were done, and those of which nobody knows. */
export function maybeDone<Did>(ops: readonly Op<Did>[]): Op<Did>[] {
  return ops.filter(({ ended }) => ended !== "not done");
}

/** How often each value is there. */
export function countOf<T>(values: Iterable<T>): Map<T, number> {
  const counts = new Map<T, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}
