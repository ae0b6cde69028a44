import { itemsOf } from "../sql/group_items.ts";
import { type ColumnCells, TABLE_COLUMNS } from "../sql/table_columns.ts";
import type { TokenView } from "../sql/token_view.ts";
import type { ColumnFacts } from "./facts.ts";
import { usesNode, viewOf } from "./node_state.ts";
import { readTrigger, type Trigger } from "./trigger.ts";

/**
 * One row for each table, view and trigger, for {@linkcode readObjects}. SQLite counts no columns of a view that does not compile
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

/** A table or view as its row of {@linkcode FACTS_QUERY} tells it; what could not be read is empty. */
export interface SchemaObject {
  /** Its name as stored. */
  readonly name: string;
  /** What it is; a table behind a virtual table is a table, too. */
  readonly kind: "table" | "view" | "virtual";
  /** Its text in the schema. */
  readonly sql: string;
  /** Its columns, in order. */
  readonly columns: readonly ColumnFacts[];
  /** Whether it is declared WITHOUT ROWID. */
  readonly withoutRowid: boolean;
  /** The column that is the rowid by another name; `undefined` if there is none. */
  readonly rowid: string | undefined;
  /** Its foreign keys, a row for each column. */
  readonly foreignKeys: readonly ForeignKeyCells[];
  /** Its indexes, those of constraints included. */
  readonly indexes: readonly IndexCells[];
  /** Its text in tokens; `undefined` if SQLite could not cut it. */
  readonly text: TokenView | undefined;
  /** A CHECK of it is something that each node would evaluate for itself. */
  readonly volatileCheck: boolean;
  /** Something of it could not be read. */
  readonly unclear: boolean;
}

/** A whole schema, by names in lower case. */
export interface SchemaObjects {
  /** The tables and views, by their names in lower case. */
  readonly objects: ReadonlyMap<string, SchemaObject>;
  /** The triggers. */
  readonly triggers: readonly Trigger[];
}

/**
 * Reads the schema.
 *
 * @param rows The rows of {@linkcode FACTS_QUERY} in array form.
 */
export function readObjects(rows: readonly (readonly unknown[])[]): SchemaObjects {
  const objects = new Map<string, SchemaObject>();
  const triggers: Trigger[] = [];
  for (const [type, name, table, sql, ...cells] of rows) {
    if (type === "trigger") triggers.push(readTrigger(text(sql), text(table).toLowerCase()));
    else objects.set(text(name).toLowerCase(), readObject(type, text(name), text(sql), cells));
  }
  return { objects, triggers };
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function readObject(
  type: unknown,
  name: string,
  sql: string,
  [kind, wr, columns, foreignKeys, indexes]: readonly unknown[],
): SchemaObject {
  const withoutRowid = Number(wr) === 1;
  const cells = listIn<ColumnCells>(columns)?.sort(([a], [b]) => a - b);
  const indexCells = listIn<IndexCells>(indexes);
  const base = kind === "table" || kind === "shadow";
  const rowid = base && !withoutRowid ? rowidOf(cells ?? [], indexCells) : undefined;
  const text = viewOf(sql);
  return {
    name,
    kind: type === "view" ? "view" : kind === "virtual" ? "virtual" : "table",
    sql,
    columns: (cells ?? []).map((cell) => columnOf(cell, rowid)),
    withoutRowid,
    rowid,
    foreignKeys: listIn<ForeignKeyCells>(foreignKeys) ?? [],
    indexes: indexCells ?? [],
    text,
    volatileCheck: base && text !== undefined && hasVolatileCheck(text),
    unclear: text === undefined || cells === undefined,
  };
}

/** JSON of lists, or `undefined` where there is none. */
function listIn<T extends readonly unknown[]>(json: unknown): T[] | undefined {
  if (typeof json !== "string") return undefined;
  try {
    const list: T[] = JSON.parse(json);
    return Array.isArray(list) && list.every(Array.isArray) ? list : undefined;
  } catch {
    return undefined;
  }
}

/** A key that is not the rowid, such as INTEGER PRIMARY KEY DESC, has an index of its own. */
function rowidOf(
  cells: readonly ColumnCells[],
  indexes: readonly IndexCells[] | undefined,
): string | undefined {
  const [key, second] = cells.filter(([, , , , , place]) => place > 0);
  if (key === undefined || second !== undefined || indexes === undefined) return undefined;
  const [, name] = key;
  return indexes.some(([origin]) => origin === "pk") ? undefined : name;
}

function columnOf(
  [, name, type, notNull, defaultValue, key, hidden]: ColumnCells,
  rowid: string | undefined,
): ColumnFacts {
  const generated = hidden === 2 || hidden === 3;
  // SQLite never looks at the default of a column that is the rowid.
  const evaluated = defaultValue !== null && !generated && name !== rowid;
  return {
    name,
    type,
    notNull: notNull === 1,
    default: defaultValue ?? undefined,
    volatileDefault: evaluated && isVolatile(defaultValue),
    key,
    generated,
    hidden: hidden === 1,
  };
}

function isVolatile(sql: string): boolean {
  const view = viewOf(sql);
  return view === undefined || usesNode(view);
}

function hasVolatileCheck(view: TokenView): boolean {
  return view.tokens.some((_, i) =>
    view.isWord(i, "CHECK") && usesNode(view.slice(i + 1, view.behind(i + 1)))
  );
}

/** The tokens of a column's own definition; `undefined` if it cannot be found. */
export function definitionOf(view: TokenView, column: string): TokenView | undefined {
  const open = view.tokens.findIndex((_, i) => view.is(i, "("));
  if (open < 0) return undefined;
  const name = column.toLowerCase();
  const range = itemsOf(view, open).find(([from]) =>
    view.isName(from) && view.name(from).toLowerCase() === name
  );
  return range === undefined ? undefined : view.slice(range[0] + 1, range[1]);
}
