import { type Fate, FATES, STATUS_FATES } from "./fates.ts";

export type { Fate };

/** What a follower of an 8.x or 9.x server puts in front of its leader's text. */
const RELAYED = /^node failed to process \w+ on remote node at \S+: /;

/**
 * What became of a request that a node, or something in front of it, answered with an error.
 *
 * @param status The HTTP status.
 * @param text The body; with status 200 the `error` member at its top level.
 *
 * @example
 * ```ts
 * import { fate } from "./outcome.ts";
 *
 * fate(503, "leader not found\n"); // { applied: "no", next: "leaderless" }
 * fate(200, "leadership lost while committing log"); // { applied: "maybe", next: "leaderless" }
 * ```
 */
export function fate(status: number, text: string): Fate {
  const said = text.trim().replace(RELAYED, "");
  const known = FATES.find((row) => row.status.includes(status) && matches(row.text, said));
  if (known !== undefined) return { applied: known.applied, next: known.next };
  return STATUS_FATES.get(status) ?? { applied: "maybe", next: "elsewhere" };
}

function matches(expected: string | RegExp, said: string): boolean {
  return typeof expected === "string" ? said === expected : expected.test(said);
}
