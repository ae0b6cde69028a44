/** The names of the rowid, in lower case; a column of such a name hides it. */
export const ROWID_NAMES: readonly string[] = ["rowid", "_rowid_", "oid"];
