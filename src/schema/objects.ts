/**
 * The rows of the query as objects; what cannot be read is left empty and marked.
 *
 * @module
 */

import { behind, type TokenView } from "../sql/view.ts";
import { isName } from "../sql/words.ts";
import type { ColumnFacts } from "./facts.ts";
import { itemsOf } from "./insert_parts.ts";
import { partOf, usesNode, viewOf } from "./node_state.ts";
import type { ColumnCells } from "../sql/table_columns.ts";
import type { ForeignKeyCells, IndexCells } from "./query.ts";
import { readTrigger, type Trigger } from "./trigger.ts";

/** A table or view. */
export interface SchemaObject {
  readonly name: string;
  readonly kind: "table" | "view" | "virtual";
  readonly sql: string;
  readonly columns: readonly ColumnFacts[];
  readonly withoutRowid: boolean;
  readonly rowid: string | undefined;
  readonly foreignKeys: readonly ForeignKeyCells[];
  readonly indexes: readonly IndexCells[];
  /** Its text in tokens; `undefined` if SQLite could not cut it. */
  readonly view: TokenView | undefined;
  /** A CHECK of it is something that each node would evaluate for itself. */
  readonly volatileCheck: boolean;
  /** Something of it could not be read. */
  readonly unclear: boolean;
}

/** A whole schema, by names in lower case. */
export interface SchemaObjects {
  readonly objects: ReadonlyMap<string, SchemaObject>;
  readonly triggers: readonly Trigger[];
}

/** Sorts the rows of the query in array form. */
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
  const view = viewOf(sql);
  return {
    name,
    kind: type === "view" ? "view" : kind === "virtual" ? "virtual" : "table",
    sql,
    columns: (cells ?? []).map((cell) => columnOf(cell, rowid)),
    withoutRowid,
    rowid,
    foreignKeys: listIn<ForeignKeyCells>(foreignKeys) ?? [],
    indexes: indexCells ?? [],
    view,
    volatileCheck: base && view !== undefined && hasVolatileCheck(view),
    unclear: view === undefined || cells === undefined,
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
  const key = cells.filter(([, , , , , place]) => place > 0);
  if (key.length !== 1 || indexes === undefined) return undefined;
  return indexes.some(([origin]) => origin === "pk") ? undefined : key[0]![1];
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
    view.isWord(i, "CHECK") && usesNode(partOf(view, i + 1, behind(view, i + 1)))
  );
}

/** The tokens of a column's own definition; `undefined` if it cannot be found. */
export function definitionOf(view: TokenView, column: string): TokenView | undefined {
  const open = view.tokens.findIndex((_, i) => view.is(i, "("));
  if (open < 0) return undefined;
  const name = column.toLowerCase();
  const range = itemsOf(view, open).find(([from]) =>
    isName(view.tokens[from]) && view.name(from).toLowerCase() === name
  );
  return range === undefined ? undefined : partOf(view, range[0] + 1, range[1]);
}
