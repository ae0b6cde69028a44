/**
 * Statements that make a whole batch fail. They run on every node, so they depend on nothing but table contents and
 * parameters, and on `changes()` and `last_insert_rowid()` as the same batch set them.
 *
 * @module
 */

import { analyse } from "../sql/analyse.ts";
import type { Prepared } from "../sql/prepare.ts";
import { digestOf } from "./digest.ts";
import { own } from "./internal.ts";

/** Compiles on every server and fails on its first row, so that the transaction around it is rolled back. */
export const POISON: Prepared = own("SELECT abs(-9223372036854775808)");

/** What a write did, as its guard will compare it. */
export const OBSERVE: Prepared = own("SELECT changes(), last_insert_rowid()");

/**
 * Servers before 9.4.2 do not notice an error behind RETURNING: they go on even where it has ended the transaction
 * (ON CONFLICT ROLLBACK in the schema, RAISE(ROLLBACK) in a trigger), and keep what follows. A savepoint has gone with
 * the transaction, and to release it is an error that they do notice.
 */
const SAVEPOINT: Prepared = control('SAVEPOINT "_rqlite_guard"');
const RELEASE: Prepared = control('RELEASE "_rqlite_guard"');

/** Puts statements between a savepoint and its release. */
export function enclosed(statements: readonly Prepared[]): Prepared[] {
  return [SAVEPOINT, ...statements, RELEASE];
}

/** What was observed of a write. */
export interface Observed {
  readonly changes: number | bigint;
  /** Where it inserted rows. */
  readonly rowid: number | bigint | undefined;
}

/** Fails with a text of its own, as a branch of CASE that is not taken is not evaluated. */
const FAIL = "json_extract('{}','_rqlite_conflict')";

/** Passes if the statement before it changed so many rows. */
export function changesGuard(changes: number | bigint): Prepared {
  return own(`SELECT CASE WHEN changes() IS ? THEN 1 ELSE ${FAIL} END`, changes);
}

/** Passes while a read has the same rows. */
export function readGuard(prepared: Prepared, columns: number, digest: string): Prepared {
  const params = [...prepared.params, digest];
  const rows = digestOf(prepared.sql, columns);
  const sql = `SELECT CASE WHEN (${rows}) IS ?${params.length} THEN 1 ELSE ${FAIL} END`;
  return { ...prepared, sql, params };
}

/**
 * Passes if the write before it did what it did when it was tried.
 *
 * An insert into a table without rowids leaves `last_insert_rowid()` as it was: in the commit that is the number of one
 * of the rows that it begins with, unless an insert between them set it to the same value as when it was tried.
 *
 * @param id The commit's.
 */
export function writeGuard({ changes, rowid }: Observed, id: string): Prepared {
  if (rowid === undefined) return changesGuard(changes);
  return own(
    "SELECT CASE WHEN changes() IS ? AND (last_insert_rowid() IS ? OR last_insert_rowid() >= " +
      `(SELECT n FROM _rqlite_commit WHERE id = ?)) THEN 1 ELSE ${FAIL} END`,
    changes,
    rowid,
    id,
  );
}

function control(sql: string): Prepared {
  return { analysis: analyse(sql), sql, params: [] };
}
