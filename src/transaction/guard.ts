/**
 * Statements that make a whole batch fail. They run on every node, so they depend on nothing but table contents and
 * parameters, and on `changes()` and `last_insert_rowid()` as the same batch set them.
 *
 * @module
 */

import type { Prepared } from "../sql/prepare.ts";
import { own } from "./internal.ts";

/** Compiles on every server and fails on its first row, so that the transaction around it is rolled back. */
export const POISON: Prepared = own("SELECT abs(-9223372036854775808)");

/** Fails with a text of its own, as a branch of CASE that is not taken is not evaluated. */
const FAIL = "json_extract('{}', '_rqlite_conflict')";

/** Passes if the statement before it changed so many rows. */
export function changesGuard(changes: number): Prepared {
  return own(`SELECT CASE WHEN changes() IS ? THEN 1 ELSE ${FAIL} END`, changes);
}
