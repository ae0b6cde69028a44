/** The names of the rowid, in lower case; a column of such a name hides it. */
export const ROWID_NAMES: readonly string[] = ["rowid", "_rowid_", "oid"];

/**
 * The columns of `m.name` as JSON, an array of {@linkcode ColumnCells}; to be put into a query over some `m`. With `temp.`
 * in front, as everywhere, a table that is named like the function is not found in its place.
 */
export const TABLE_COLUMNS = `(
    SELECT json_group_array(json_array(c.cid, c.name, c.type, c."notnull", c.dflt_value, c.pk, c.hidden))
    FROM temp.pragma_table_xinfo(m.name) c
  )`;

/** A column: its place, name, declared type, whether NOT NULL, default, place in the key, and whether hidden. */
export type ColumnCells = readonly [
  cid: number,
  name: string,
  type: string,
  notNull: number,
  defaultValue: string | null,
  primaryKey: number,
  hidden: number,
];
