/**
 * Every text with which rqlite refuses or loses a whole request, from 8.26 to 10.3, measured or read in its source.
 *
 * @module
 */

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

/** The first row that matches counts. */
export const FATES: readonly FateRow[] = [
  // The node, or the leader it asked, refused before anything was written.
  { status: REFUSED, text: "leader not found", applied: "no", next: "leaderless" },
  {
    status: REFUSED,
    text: /^(?:leader|leader address|store nodes|store stats|cluster stats): leader not found$/,
    applied: "no",
    next: "leaderless",
  },
  {
    status: REFUSED,
    text: /^(store nodes: )?store not (open|ready)$/,
    applied: "no",
    next: "elsewhere",
  },
  { status: REFUSED, text: "not leader", applied: "no", next: "elsewhere" },
  { status: REFUSED, text: "node is not the leader", applied: "no", next: "elsewhere" },
  { status: REFUSED, text: "leadership transfer in progress", applied: "no", next: "leaderless" },
  { status: TOP, text: "timed out enqueuing operation", applied: "no", next: "leaderless" },
  { status: TOP, text: "load in progress", applied: "no", next: "leaderless" },
  { status: TOP, text: "context canceled", applied: "no", next: "elsewhere" },
  { status: TOP, text: "sql: database is closed", applied: "no", next: "elsewhere" },
  { status: [500], text: "queue is closed", applied: "no", next: "elsewhere" },
  { status: [401], text: /^remote .+ not authorized$/, applied: "no", next: "never" },

  // Reads.
  { status: TOP, text: "stale read", applied: "no", next: "elsewhere" },
  { status: TOP, text: /^index \d+: timeout waiting for fsm$/, applied: "no", next: "strong" },
  { status: TOP, text: /^failed to verify leader: /, applied: "no", next: "leaderless" },

  // The request itself is wrong.
  { status: TOP, text: "disallowed pragma", applied: "no", next: "never" },
  { status: TOP, text: "string field contains invalid UTF-8", applied: "no", next: "never" },
  {
    status: TOP,
    text: "cannot start a transaction within a transaction",
    applied: "no",
    next: "never",
  },
  { status: [500], text: /^SQL rewrite: /, applied: "no", next: "never" },
  { status: TOP, text: "FOREIGN KEY constraint failed", applied: "no", next: "never" },

  // The write may be in the log, or half of the list may be committed.
  {
    status: TOP,
    text: "leadership lost while committing log",
    applied: "maybe",
    next: "leaderless",
  },
  { status: TOP, text: "raft is already shutdown", applied: "maybe", next: "elsewhere" },
  {
    status: TOP,
    text: "snapshot restored while committing log",
    applied: "maybe",
    next: "elsewhere",
  },
  {
    status: TOP,
    text: "cannot commit - no transaction is active",
    applied: "maybe",
    next: "never",
  },
  { status: [408], text: /^(queue wait )?timeout$/, applied: "maybe", next: "never" },

  // A follower could not ask the leader. One that says `pool get` tried once and had no connection; a newer
  // one tries twice in secret and tells only how the second attempt failed.
  {
    status: REFUSED,
    text: /^pool get: dial tcp .*connection refused$/,
    applied: "no",
    next: "leaderless",
  },
  { status: REFUSED, text: /dial tcp .*connection refused$/, applied: "maybe", next: "leaderless" },
  {
    status: REFUSED,
    text: /^(read|write) (protobuf )?(length|bytes): /,
    applied: "maybe",
    next: "elsewhere",
  },
  {
    status: REFUSED,
    text: /^panic reading response from node: /,
    applied: "maybe",
    next: "elsewhere",
  },
  {
    status: REFUSED,
    text: /(connection reset by peer|broken pipe|i\/o timeout|EOF)$/,
    applied: "maybe",
    next: "elsewhere",
  },

  // Everything ran, and only the results are lost.
  { status: [500], text: /^json: error calling MarshalJSON/, applied: "yes", next: "never" },
  { status: [500], text: "types and columns are different lengths", applied: "yes", next: "never" },
  { status: [500], text: "no ExecuteResult, QueryRows, or Error", applied: "yes", next: "never" },
];

const REFUSAL: Fate = { applied: "no", next: "never" };

/** What a status says whatever the text; any other status with an unknown text says nothing. */
export const STATUS_FATES: ReadonlyMap<number, Fate> = new Map<number, Fate>([
  [301, { applied: "no", next: "elsewhere" }],
  [302, REFUSAL],
  [307, { applied: "no", next: "elsewhere" }],
  [308, { applied: "no", next: "elsewhere" }],
  [400, REFUSAL],
  [401, REFUSAL],
  [403, REFUSAL],
  [404, REFUSAL],
  [405, REFUSAL],
  [411, REFUSAL],
  [413, REFUSAL],
  [414, REFUSAL],
  [415, REFUSAL],
  [421, { applied: "no", next: "elsewhere" }],
  [429, { applied: "no", next: "leaderless" }],
  [431, REFUSAL],
]);
