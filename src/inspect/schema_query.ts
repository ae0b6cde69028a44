import { TABLE_COLUMNS } from "../sql/table_columns.ts";

const OBJECTS =
  `sqlite_schema m JOIN temp.pragma_table_list l ON l.schema = 'main' AND l.name = m.name
WHERE m.type IN ('table', 'view') AND l.type <> 'shadow' AND m.name NOT GLOB 'sqlite_*'`;

/**
 * One row for each table and view. Lists are JSON, so that one read in one snapshot is all there is. SQLite counts no
 * columns of a view that it cannot compile, nor of some that come behind it: asking for them would be an error.
 */
export const SCHEMA_QUERY: string = `
SELECT m.name, m.sql, l.type AS kind, l.wr AS without_rowid, l.strict,
  CASE WHEN l.type <> 'view' OR l.ncol > 0 THEN ${TABLE_COLUMNS} END AS columns,
  (
    SELECT json_group_array(json_array(f.id, f.seq, f."table", f."from", f."to", f.on_update, f.on_delete))
    FROM temp.pragma_foreign_key_list(m.name) f
  ) AS foreign_keys,
  (
    SELECT json_group_array(json_array(i.seq, i.name, i."unique", i.origin,
      (SELECT s.sql FROM sqlite_schema s WHERE s.type = 'index' AND s.name = i.name),
      json((
        SELECT json_group_array(json_array(x.seqno, x.name, x."desc"))
        FROM temp.pragma_index_xinfo(i.name) x WHERE x.key
      ))))
    FROM temp.pragma_index_list(m.name) i
  ) AS indexes
FROM ${OBJECTS}
ORDER BY m.name`;

/** The columns of one view. */
export const VIEW_QUERY: string = `SELECT ${TABLE_COLUMNS} AS columns FROM (SELECT ? AS name) m`;

/** A row of {@linkcode SCHEMA_QUERY}. */
export interface SchemaRow {
  /** The name as stored. */
  readonly name: string;
  /** The statement that made it. */
  readonly sql: string;
  /** What SQLite calls it: `table`, `view`, `virtual`. */
  readonly kind: string;
  /** 1 for a table WITHOUT ROWID, else 0. */
  readonly without_rowid: number;
  /** 1 for a STRICT table, else 0. */
  readonly strict: number;
  /** JSON of `ColumnCells`; `null` where they have to be asked for. */
  readonly columns: string | null;
  /** JSON of {@linkcode ForeignKeyCells}s. */
  readonly foreign_keys: string;
  /** JSON of {@linkcode IndexCells}s. */
  readonly indexes: string;
}

/** A column of a foreign key. */
export type ForeignKeyCells = readonly [
  id: number,
  seq: number,
  table: string,
  from: string,
  to: string | null,
  onUpdate: string,
  onDelete: string,
];

/** An index, also of a constraint. */
export type IndexCells = readonly [
  seq: number,
  name: string,
  unique: number,
  origin: "c" | "u" | "pk",
  sql: string | null,
  terms: readonly (readonly [seqno: number, column: string | null, descending: number])[],
];
