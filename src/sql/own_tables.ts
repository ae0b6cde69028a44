/** The table of commits. */
export const COMMIT_TABLE = "_rqlite_commit";

/** The tables that clients keep in the database for themselves, see `docs/transactions.md` and `src/locks/lease_row.ts`. */
export const OWN_TABLES: readonly string[] = [COMMIT_TABLE, "_rqlite_version", "_rqlite_lock"];

/** Whether a table is one that clients keep for themselves, and not the user's. */
export function isOwnTable(name: string): boolean {
  return OWN_TABLES.includes(name.toLowerCase());
}
