/** The tables that clients keep in the database for themselves, see `docs/transactions.md` and `src/locks/lease_row.ts`. */
const OWN_TABLES: ReadonlySet<string> = new Set([
  "_rqlite_commit",
  "_rqlite_version",
  "_rqlite_lock",
]);

/** Whether a table is one that clients keep for themselves, and not the user's. */
export function isOwnTable(name: string): boolean {
  return OWN_TABLES.has(name.toLowerCase());
}
