import type { Op } from "../history.ts";

/** Something that can be there once: the key of a row. */
export interface InsertCall {
  readonly key: string;
  /** The fate of an unknown call was asked for later, and this is what was told. */
  readonly outcome?: "committed" | "not committed";
}

/**
 * Is each thing that was acknowledged there exactly once, one that was not applied absent, and one of which nobody knows
 * there once at most?
 *
 * @param found How often each key is there.
 */
export function checkInserts(
  ops: readonly Op<InsertCall>[],
  found: ReadonlyMap<string, number>,
): string[] {
  const known = new Set(ops.map(({ did }) => did.key));
  const strange = [...found.keys()].filter((key) => !known.has(key))
    .map((key) => `${key} is there, and nobody inserted it`);
  const wrong = ops.flatMap(({ ended, did: { key, outcome } }) => {
    const times = found.get(key) ?? 0;
    const told = outcome === undefined ? "" : `, and outcome() said "${outcome}"`;
    if (times > 1) return [`${key} is there ${times} times${told}`];
    if (ended === "done" && times === 0) return [`${key} was acknowledged and is lost${told}`];
    if (ended === "not done" && times === 1) {
      return [`${key} is there though it was not applied${told}`];
    }
    return [];
  });
  return [...strange, ...wrong];
}
