import type { Analysis } from "../sql/analyse.ts";
import { COMMIT_TABLE } from "../sql/own_tables.ts";
import type { Answer } from "../wire/decode.ts";

/** A commit as its row in the log says it: a state of the database that has the row has all that was committed before. */
export interface LoggedCommit {
  /** Commits are numbered in the order in which every node applies them. */
  readonly n: number;
  /** Its id, as the commit was sent with it. */
  readonly id: string;
}

/**
 * Asks for some commits, and for the first and the last that are there. It does not compile where a database was loaded
 * and nothing was committed since: the numbers are those of another log then (see `docs/internals/commits.md`).
 */
export function selectCommits(numbers: readonly number[]): string {
  const ends = ["min", "max"].map((end) => `(SELECT ${end}(n) FROM ${COMMIT_TABLE})`);
  return `SELECT n, id, state FROM ${COMMIT_TABLE} WHERE n IN (${[...numbers, ...ends].join()})
  ORDER BY n`;
}

/**
 * What a node says to that, in order; nothing where it has no log that can be used.
 *
 * @param analysis Of any other read.
 */
export function commitsIn(
  answer: Answer,
  index: number,
  analysis: Analysis,
): readonly LoggedCommit[] {
  if (answer.errorAt(index) !== undefined) return [];
  const { rows } = answer.result(index, { analysis, rows: "array", integers: "number" });
  return (rows as unknown as readonly [number, string][]).map(([n, id]) => ({ n, id }));
}

/** A commit as a bookmark names it: its number, and enough of its id to tell it from that of another database. */
export function nameOfCommit({ n, id }: LoggedCommit): string {
  let hash = 2_166_136_261;
  for (const letter of id) hash = Math.imul(hash ^ letter.codePointAt(0)!, 16_777_619) >>> 0;
  return `${n.toString(36)}.${hash.toString(36)}`;
}

/** The number in such a name; 0 of none. */
export function numberOfCommit(name: string): number {
  return Number.parseInt(name || "0", 36);
}
