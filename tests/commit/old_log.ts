// What clients before the commit log had hashes and scopes send: they may run beside newer ones.
import type { CommitId } from "../../src/commit/log_table.ts";
import { own } from "../../src/commit/own_statements.ts";
import type { Prepared } from "../../src/sql/prepare.ts";

const CREATE_TABLE = `CREATE TABLE IF NOT EXISTS _rqlite_commit(
  n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
  state INTEGER NOT NULL
    CONSTRAINT _rqlite_commit_done CHECK (state <> -1)
    CONSTRAINT _rqlite_commit_fenced CHECK (state <> -2)
    CONSTRAINT _rqlite_commit_expired CHECK (state <> -3))`;

const START = `INSERT INTO _rqlite_commit(n, id, state) SELECT ?, '0.start', 0
  WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = '_rqlite_commit')`;

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

/** Makes the table in its old form. */
export function oldCreation(now: number): Prepared[] {
  return [own(CREATE_TABLE), own(START, now * 1024)];
}

/** Enters a commit as an old client does. */
export function oldEnter({ id, base }: CommitId): Prepared {
  return own(ENTER, id, id, base);
}

/** Fences an id as an old client does. */
export function oldFence({ id, base }: CommitId): Prepared {
  return own(FENCE, id, id, base);
}

/** Forgets rows as an old client does: nothing marks the new floor. */
export function oldPruning(last: number): Prepared {
  return own("DELETE FROM _rqlite_commit WHERE n <= ?", last);
}
