import type { Answer } from "../wire/decode.ts";
import type { CommitId } from "./log_table.ts";

/** What a table of another form says to every copy of a commit. */
export function isOfStructure(text: string): boolean {
  return /^(table _rqlite_commit has |no such column: |cannot modify _rqlite_commit |datatype mismatch)/
    .test(text) || /constraint failed: (_rqlite_commit\.|(?!_rqlite_commit_))/.test(text);
}

/** What an answer proves of the whole batch. */
export interface BatchProof {
  /**
   * - `committed`: it took effect, once, by this copy.
   * - `interfered`: somebody wrote what the commit relies on; no copy of it took effect, nor will one.
   * - `missing`: there is no table yet.
   * - `outdated`: the table is that of an older client or of a loaded database, or it is missing.
   */
  readonly is: "committed" | "interfered" | "missing" | "outdated";
}

/** What an answer proves of the id that the batch failed at. */
export interface IdProof {
  /**
   * - `done`: it took effect by an earlier copy.
   * - `fenced`: somebody fenced it off; it never took effect and never will.
   * - `expired`: this copy was refused and later ones will be; an earlier one may have taken effect and been pruned.
   * - `replaced`: another database was loaded since, in which it did not take effect and never will. No answer says so by
   *   itself.
   * - `reused`: it took effect for another call.
   */
  readonly is: "done" | "fenced" | "expired" | "replaced" | "reused";
  /** The id. */
  readonly id: string;
}

/**
 * What an answer proves where something else failed:
 *
 * - `refused`: this copy was undone; another one may still pass, so no id of it is settled.
 * - `unusable`: the table is somebody else's, or something in the database keeps ids out of it.
 */
export interface TextProof<Is extends "refused" | "unusable"> {
  /** Which of the two. */
  readonly is: Is;
  /** The entry that failed: that of an id where the node could not write it, as on a full disk. */
  readonly entry: number;
  /** Its error. */
  readonly text: string;
}

/** What one answer proves: it speaks about one copy. */
export type Proof = BatchProof | IdProof | TextProof<"refused"> | TextProof<"unusable">;

/**
 * Reads an answer to a batch that begins with ids.
 *
 * @param ids Those of the first entries, in order.
 * @param first How many entries there are in front of them: 1 with a `readiness()`.
 */
export function proofOf(answer: Answer, ids: readonly CommitId[], first = 0): Proof {
  if (first > 0 && answer.errorAt(0) !== undefined) return { is: "outdated" };
  const failed = ids.findIndex((_, i) => answer.errorAt(first + i) !== undefined);
  const entry = failed < 0 ? answer.length - 1 : first + failed;
  // Servers before 9.4.2 go on behind a RETURNING that failed: only an error at the end rolled back.
  const text = answer.errorAt(entry);
  if (text === undefined) return { is: "committed" };
  const id = ids[entry - first]?.id;
  if (id === undefined) return { is: "refused", entry, text };
  const [, verdict] = /_rqlite_commit_(done|fenced|expired|interfered|reused)$/.exec(text) ?? [];
  switch (verdict) {
    case "done":
    case "fenced":
    case "expired":
    case "reused":
      return { is: verdict, id };
    case "interfered":
      return { is: "interfered" };
  }
  if (/^no such table: (main\.)?(_rqlite_commit|sqlite_sequence)$/.test(text)) {
    return { is: "missing" };
  }
  // The columns are named in order: the others are there.
  if (/^table _rqlite_commit has no column named (state|hash|wrote)$/.test(text)) {
    return { is: "outdated" };
  }
  return isOfStructure(text) ? { is: "unusable", entry, text } : { is: "refused", entry, text };
}
