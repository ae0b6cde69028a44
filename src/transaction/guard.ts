// Statements that make a whole batch fail. They run on every node, so they depend on nothing but table contents and
// parameters, and on `changes()` and `last_insert_rowid()` as the same batch set them.

import type { Prepared } from "../sql/prepare.ts";
import { own } from "../commit/own_statements.ts";
import { metReal } from "../reads/digest.ts";

/** What a write did, as its guard will compare it. */
export const OBSERVE: Prepared = own("SELECT changes(), last_insert_rowid()");

/** The row that was inserted last, into whatever table, and whether a table has one of that rowid. */
export interface LastRow {
  /** Its rowid. */
  readonly rowid: unknown;
  /** Whether the table that was asked about has a row of that rowid. */
  readonly exists: boolean;
}

/** Asks for the {@linkcode LastRow}. */
export function lastRowIn(table: string): Prepared {
  return own(
    `SELECT last_insert_rowid(), EXISTS(SELECT 1 FROM ${table} WHERE _rowid_ = last_insert_rowid())`,
  );
}

/** Whether an upsert in between inserted a row: where it updates, it leaves the rowid of an earlier insert. */
export function insertedBetween(before: LastRow | undefined, after: LastRow | undefined): boolean {
  if (before === undefined || after === undefined) return false;
  return before.rowid !== after.rowid || (after.exists && !before.exists);
}

/** What was observed of a write. */
export interface Observed {
  /** How many rows it changed. */
  readonly changes: number | bigint;
  /** Where it inserted a row into a table whose rowids are the same on all nodes. */
  readonly rowid: number | bigint | undefined;
}

/** What a guard says when it fails: errors of other texts are something else. */
const CONFLICT = "_rqlite_conflict";

/** Fails with a text of its own, as a branch of CASE that is not taken is not evaluated. */
export const FAIL = `json_extract('{}','${CONFLICT}')`;

/** Whether an error is that of a guard whose condition does not hold. */
export function isConflict(text: string): boolean {
  // A digest that was made for rows without a REAL has met one now.
  return text.includes(CONFLICT) || metReal(text);
}

/** Passes while a digest is the same. @param digest The statement that computes it. */
export function readGuard(digest: Prepared, expected: string): Prepared {
  const params = [...digest.params, expected];
  const sql = `SELECT CASE WHEN (${digest.sql}) IS ?${params.length} THEN 1 ELSE ${FAIL} END`;
  return { ...digest, sql, params };
}

/**
 * Passes if the write before it did what it did when it was tried.
 *
 * @param told The caller relies on the rowid.
 */
export function writeGuard({ changes, rowid }: Observed, told: boolean): Prepared {
  if (rowid === undefined || !told) {
    return own(`SELECT CASE WHEN changes() IS ? THEN 1 ELSE ${FAIL} END`, changes);
  }
  return own(
    `SELECT CASE WHEN changes() IS ? AND last_insert_rowid() IS ? THEN 1 ELSE ${FAIL} END`,
    changes,
    rowid,
  );
}
