// Version rows: transactions of one scope serialise by a number that each commit raises. The table has
// no rowids, so that raising one leaves `last_insert_rowid()` alone.

import type { Prepared } from "../sql/prepare.ts";
import { own } from "../commit/own_statements.ts";

/** Makes the table; repeating it does nothing. */
export function versionTable(): Prepared {
  return own(
    "CREATE TABLE IF NOT EXISTS _rqlite_version(" +
      "name TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID",
  );
}

/** Asks for a scope's version; no row means 0. */
export function readVersion(scope: string): Prepared {
  return own("SELECT version FROM _rqlite_version WHERE name = ?", scope);
}

/** Passes while the version is the one that was read. */
export function versionGuard(scope: string, version: number): Prepared {
  return own(
    "SELECT CASE WHEN coalesce((SELECT version FROM _rqlite_version WHERE name = ?), 0) IS ? " +
      "THEN 1 ELSE json_extract('{}','_rqlite_stale') END",
    scope,
    version,
  );
}

/** Raises the version by one. */
export function raiseVersion(scope: string, version: number): Prepared {
  return own(
    "INSERT INTO _rqlite_version(name, version) VALUES (?, ?) " +
      "ON CONFLICT(name) DO UPDATE SET version = excluded.version",
    scope,
    version + 1,
  );
}
