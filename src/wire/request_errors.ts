/** What an answer that is not a success means. */
export interface Fate {
  /** Whether the write took effect: "maybe" if that cannot be known. */
  readonly applied: "no" | "maybe" | "yes";
  /**
   * What could be tried, a write that may have been applied only if it can be repeated: another node at once, the
   * same after an election, the same read at level "strong", or nothing.
   */
  readonly next: "elsewhere" | "leaderless" | "strong" | "never";
}

/** One text. */
export interface FateRow extends Fate {
  /** The statuses it comes with; 200 is the member `error` of the answer. */
  readonly status: readonly number[];
  /** The whole text, or a pattern for it. */
  readonly text: string | RegExp;
}

const TOP: readonly number[] = [200];
const REFUSED: readonly number[] = [200, 500, 503];

/** The texts by status, what became of the request, and what could be tried. */
const TABLE:
  readonly (readonly [FateRow["status"], FateRow["text"], Fate["applied"], Fate["next"]])[] = [
    // The node, or the leader it asked, refused before anything was written.
    [REFUSED, "leader not found", "no", "leaderless"],
    [
      REFUSED,
      /^(?:leader|leader address|store nodes|store stats|cluster stats): leader not found$/,
      "no",
      "leaderless",
    ],
    [REFUSED, /^(store nodes: )?store not (open|ready)$/, "no", "elsewhere"],
    [REFUSED, "not leader", "no", "elsewhere"],
    [REFUSED, "node is not the leader", "no", "elsewhere"],
    [REFUSED, "leadership transfer in progress", "no", "leaderless"],
    [TOP, "timed out enqueuing operation", "no", "leaderless"],
    [TOP, "load in progress", "no", "leaderless"],
    [TOP, "context canceled", "no", "elsewhere"],
    [TOP, "sql: database is closed", "no", "elsewhere"],
    [[500], "queue is closed", "no", "elsewhere"],
    [[401], /^remote .+ not authorized$/, "no", "never"],

    // Reads.
    [TOP, "stale read", "no", "elsewhere"],
    [TOP, /^index \d+: timeout waiting for fsm$/, "no", "strong"],
    [TOP, /^failed to verify leader: /, "no", "leaderless"],

    // The request itself is wrong.
    [TOP, "disallowed pragma", "no", "never"],
    [TOP, "string field contains invalid UTF-8", "no", "never"],
    [TOP, "cannot start a transaction within a transaction", "no", "never"],
    [[500], /^SQL rewrite: /, "no", "never"],
    [TOP, "FOREIGN KEY constraint failed", "no", "never"],

    // The write may be in the log, or half of the list may be committed.
    [TOP, "leadership lost while committing log", "maybe", "leaderless"],
    [TOP, "raft is already shutdown", "maybe", "elsewhere"],
    [TOP, "snapshot restored while committing log", "maybe", "elsewhere"],
    [TOP, "cannot commit - no transaction is active", "maybe", "never"],
    [[408], /^(queue wait )?timeout$/, "maybe", "never"],

    // A follower could not ask the leader. One that says `pool get` tried once and had no connection; a newer
    // one tries twice in secret and tells only how the second attempt failed.
    [REFUSED, /^pool get: dial tcp .*connection refused$/, "no", "leaderless"],
    [REFUSED, /dial tcp .*connection refused$/, "maybe", "leaderless"],
    [REFUSED, /^(read|write) (protobuf )?(length|bytes): /, "maybe", "elsewhere"],
    [REFUSED, /^panic reading response from node: /, "maybe", "elsewhere"],
    [REFUSED, /(connection reset by peer|broken pipe|i\/o timeout|EOF)$/, "maybe", "elsewhere"],

    // Everything ran, and only the results are lost.
    [[500], /^json: error calling MarshalJSON/, "yes", "never"],
    [[500], "types and columns are different lengths", "yes", "never"],
    [[500], "no ExecuteResult, QueryRows, or Error", "yes", "never"],
  ];

/** Every text with which rqlite refuses or loses a whole request, from 8.26 to 10.3; the first row that matches counts. */
export const FATES: readonly FateRow[] = TABLE.map(([status, text, applied, next]) => ({
  status,
  text,
  applied,
  next,
}));

/** Statuses that say the request is refused for good, whatever the text. */
const REFUSALS = [302, 400, 401, 403, 404, 405, 411, 413, 414, 415, 431];

/** Statuses that say another node has to be asked, whatever the text. */
const ELSEWHERE = [301, 307, 308, 421];

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
 * import { fate } from "./request_errors.ts";
 *
 * fate(503, "leader not found\n"); // { applied: "no", next: "leaderless" }
 * fate(200, "leadership lost while committing log"); // { applied: "maybe", next: "leaderless" }
 * ```
 */
export function fate(status: number, text: string): Fate {
  const said = text.trim().replace(RELAYED, "");
  const known = FATES.find((row) => row.status.includes(status) && matches(row.text, said));
  if (known !== undefined) return { applied: known.applied, next: known.next };
  if (status === 429) return { applied: "no", next: "leaderless" };
  if (REFUSALS.includes(status)) return { applied: "no", next: "never" };
  return { applied: ELSEWHERE.includes(status) ? "no" : "maybe", next: "elsewhere" };
}

function matches(expected: string | RegExp, said: string): boolean {
  return typeof expected === "string" ? said === expected : expected.test(said);
}
