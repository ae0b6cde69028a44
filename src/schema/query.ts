import { TABLE_COLUMNS } from "../sql/table_columns.ts";

/**
 * One row for each table, view and trigger, for `readFacts`. SQLite counts no columns of a view that does not compile
 * and of a virtual table whose module is missing: asking for them would be an error.
 */
export const FACTS_QUERY: string = `
SELECT m.type, m.name, m.tbl_name, m.sql, l.type AS kind, l.wr AS without_rowid,
  CASE WHEN l.ncol > 0 THEN ${TABLE_COLUMNS} END AS columns,
  CASE WHEN l.type IN ('table', 'shadow') THEN (
    SELECT json_group_array(json_array(f."table", f."from", f."to", f.on_update, f.on_delete))
    FROM temp.pragma_foreign_key_list(m.name) f
  ) END AS foreign_keys,
  CASE WHEN l.type IN ('table', 'shadow') THEN (
    SELECT json_group_array(json_array(i.origin, i."unique", i.partial, json((
      SELECT json_group_array(x.name) FROM temp.pragma_index_info(i.name) x
    ))))
    FROM temp.pragma_index_list(m.name) i
  ) END AS indexes
FROM sqlite_schema m LEFT JOIN temp.pragma_table_list(m.name) l
  ON m.type <> 'trigger' AND l.schema = 'main' AND l.name = m.name
WHERE m.type IN ('table', 'view', 'trigger') AND m.name NOT GLOB 'sqlite_*'
ORDER BY m.type, m.name`;

/**
 * One row of one text that changes with the schema. Nodes count `schema_version` differently, so it tells of a
 * change only beside what the same node said before.
 */
export const SCHEMA_VERSION: string =
  "SELECT (SELECT schema_version FROM temp.pragma_schema_version) || '.' || count(*) || '.' || " +
  "coalesce(sum(length(sql)), 0) AS version FROM sqlite_schema WHERE name NOT GLOB 'sqlite_*'";

/** A column of a foreign key. */
export type ForeignKeyCells = readonly [
  table: string,
  from: string,
  to: string | null,
  onUpdate: string,
  onDelete: string,
];

/** An index, also of a constraint; an expression has no name. */
export type IndexCells = readonly [
  origin: string,
  unique: number,
  partial: number,
  columns: readonly (string | null)[],
];
