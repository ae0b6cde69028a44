/**
 * Exactly-once commits, as SQL and as what its answers prove (locks.md §3.4, model-checked there).
 *
 * A commit whose answer was lost may be applied, now or later; followers and some runtimes send copies on their own;
 * and the answer that arrives may be that of the second copy. So *one answer speaks about one copy*, and a commit
 * becomes exactly-once by a row with its id, written first in the same atomic batch:
 *
 * - `state` 1, the commit took effect: later copies fail with `_rqlite_commit_done`.
 * - `state` 0, the id was *fenced* off before it took effect: every copy fails with `_rqlite_commit_fenced`.
 * - no row, and the id's base lies before the first row that is kept: the row may have been pruned, so every copy fails
 *   with `_rqlite_commit_expired`.
 *
 * An id is `<base>.<uuid>`. The base is a value that the table's sequence had before the id was made; it is what makes
 * pruning safe, so base and id never part. Rows are only ever deleted from the front.
 *
 * @module
 */

import type { Prepared } from "../sql/prepare.ts";
import type { Answer } from "../wire/decode.ts";
import { own } from "./internal.ts";

/** How many rows are kept; an id can be settled while fewer commits have passed since it was made. */
const KEPT_ROWS = 100_000;

/** The table, made on first use. */
const CREATE_TABLE = `CREATE TABLE IF NOT EXISTS _rqlite_commit(
  n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
  state INTEGER NOT NULL
    CONSTRAINT _rqlite_commit_done CHECK (state <> -1)
    CONSTRAINT _rqlite_commit_fenced CHECK (state <> -2)
    CONSTRAINT _rqlite_commit_expired CHECK (state <> -3))`;

/** Begins the range of `n`, behind every range that a dropped table had. */
const START = `INSERT INTO _rqlite_commit(n, id, state) SELECT ?, '0.start', 0
  WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = '_rqlite_commit')`;

/** Where the sequence is: the base of the next ids. */
const READ_BASE = "SELECT seq FROM sqlite_sequence WHERE name = '_rqlite_commit'";

/** Neither pruned nor of the future: between what lies before the first row and the end of the sequence. */
const IN_RANGE = `? BETWEEN
  (SELECT coalesce((SELECT min(n) - 1 FROM _rqlite_commit), seq)
    FROM sqlite_sequence WHERE name = '_rqlite_commit')
  AND (SELECT seq FROM sqlite_sequence WHERE name = '_rqlite_commit')`;

const STATE = "SELECT state FROM _rqlite_commit WHERE id = ?";

const ENTER = `INSERT INTO _rqlite_commit(id, state) VALUES (?, CASE (${STATE})
  WHEN 1 THEN -1 WHEN 0 THEN -2 ELSE CASE WHEN ${IN_RANGE} THEN 1 ELSE -3 END END)`;

const FENCE = `INSERT INTO _rqlite_commit(id, state) VALUES (?, CASE (${STATE})
  WHEN 1 THEN -1 WHEN 0 THEN 0 ELSE CASE WHEN ${IN_RANGE} THEN 0 ELSE -3 END END)
  ON CONFLICT(id) DO NOTHING`;

/** Affects a row exactly while nothing was ever pruned. */
const TOUCH_START = "UPDATE _rqlite_commit SET state = state WHERE id = '0.start'";

const PRUNE = "DELETE FROM _rqlite_commit WHERE n <= ?";

/** Begins a new range, in which every id made before is expired. */
const JUMP = `INSERT INTO _rqlite_commit(n, id, state)
  SELECT max(seq + 4294967296, ?), '0.jump.' || seq, 0
  FROM sqlite_sequence WHERE name = '_rqlite_commit'`;

const JUMP_PRUNE = "DELETE FROM _rqlite_commit WHERE n < (SELECT max(n) FROM _rqlite_commit)";

/** What a commit is known by. */
export interface CommitId {
  readonly id: string;
  /** A value of the sequence before the id was made. */
  readonly base: number;
  /** Made by a client and not chosen by the user, so that its base stands in it. */
  readonly minted: boolean;
}

/** Makes an id under a base. */
export function mint(base: number): CommitId {
  return { id: `${base}.${crypto.randomUUID()}`, base, minted: true };
}

/** Reads an id that a client made; `undefined` for one that the user chose. */
export function parseMinted(id: string): CommitId | undefined {
  const match = /^(\d{1,16})\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.exec(id);
  return match === null ? undefined : { id, base: Number(match[1]), minted: true };
}

/** Makes the table; repeating it does nothing. */
export function creation(now: number): Prepared[] {
  return [own(CREATE_TABLE), own(START, now * 1024)];
}

/** What an administrator can run where the client's account may not create tables. */
export function creationScript(now: number): string {
  return `${CREATE_TABLE};\n${START.replace("?", String(now * 1024))};`;
}

/** Asks for the base of new ids. */
export function readBase(): Prepared {
  return own(READ_BASE);
}

/** What begins a commit: its own id, then a fence for each earlier run of the same transaction. */
export function head({ id, base }: CommitId, earlier: readonly CommitId[]): Prepared[] {
  return [own(ENTER, id, id, base), ...earlier.map(fence)];
}

/** Makes sure that an id never takes effect, if it has not yet. */
export function fence({ id, base }: CommitId): Prepared {
  return own(FENCE, id, id, base);
}

/** Tells by `rowsAffected` whether nothing was ever pruned. */
export function touchStart(): Prepared {
  return own(TOUCH_START);
}

/** Forgets the oldest rows; any prefix may go at any moment. */
export function pruning(base: number): Prepared {
  return own(PRUNE, base - KEPT_ROWS);
}

/** To be sent right after an older backup was loaded: every batch that was on its way is expired then. */
export function jump(now: number): Prepared[] {
  return [own(JUMP, now * 1024), own(JUMP_PRUNE)];
}

/** What one answer proves. */
export type Proof =
  /** Took effect, once, by this copy or, with `done`, by an earlier one. */
  | { readonly is: "committed" }
  | { readonly is: "done"; readonly id: string }
  /** Somebody fenced the id off: it never took effect and never will. */
  | { readonly is: "fenced"; readonly id: string }
  /** This copy was refused and later ones will be; an earlier one may have taken effect and been pruned. */
  | { readonly is: "expired"; readonly id: string }
  /** This copy was rolled back; another one may still pass, so the id is not settled. */
  | { readonly is: "refused"; readonly entry: number; readonly text: string }
  /** There is no table yet. */
  | { readonly is: "missing" };

/**
 * Reads an answer to a batch that begins with ids.
 *
 * @param ids Those of the first entries, in order.
 */
export function proofOf(answer: Answer, ids: readonly CommitId[]): Proof {
  const entry = answer.length - 1;
  // Servers before 9.4.2 go on behind a RETURNING that failed: only an error at the end rolled back.
  const text = answer.errorAt(entry);
  if (text === undefined) return { is: "committed" };
  const id = ids[entry]?.id;
  if (id === undefined) return { is: "refused", entry, text };
  if (text.endsWith("_rqlite_commit_done")) return { is: "done", id };
  if (text.endsWith("_rqlite_commit_fenced")) return { is: "fenced", id };
  if (text.endsWith("_rqlite_commit_expired")) return { is: "expired", id };
  if (/^no such table: (main\.)?_rqlite_commit$/.test(text)) return { is: "missing" };
  return { is: "refused", entry, text };
}
