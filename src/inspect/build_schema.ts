import type { ColumnCells } from "../sql/table_columns.ts";
import { type Constraint, readIndex, readTable, type TableText } from "./ddl.ts";
import type {
  Column,
  ForeignKey,
  ForeignKeyAction,
  Index,
  PrimaryKey,
  Table,
  View,
} from "./schema.ts";
import type { ForeignKeyCells, IndexCells, SchemaRow } from "./schema_query.ts";

/** A table from its row; foreign keys may still lack the columns that they refer to. */
export function tableFrom(row: SchemaRow): Table {
  const virtual = row.kind === "virtual";
  const text: TableText = virtual ? NO_TEXT : readTable(row.sql);
  const cells = columnsIn(row.columns);
  const indexes: IndexCells[] = JSON.parse(row.indexes);
  const withoutRowid = row.without_rowid === 1;
  const primaryKey = primaryKeyOf(cells, indexes, text, !withoutRowid && !virtual);
  const spelled = spelling(cells);
  return {
    name: row.name,
    columns: cells.map((column) => columnOf(column, primaryKey?.rowid ?? false)),
    primaryKey,
    foreignKeys: foreignKeysOf(row, text, spelled),
    uniques: text.constraints.filter(({ kind }) => kind === "unique")
      .map(({ name, columns }) => ({ name, columns: columns.map(spelled) })),
    checks: text.constraints.filter(({ kind }) => kind === "check")
      .map(({ name, expression }) => ({ name, expression })),
    indexes: indexes.filter(([, , , origin]) => origin === "c").map(indexOf).sort(byName),
    strict: row.strict === 1,
    withoutRowid,
    virtual,
    sql: row.sql,
  };
}

/** A view from its row. */
export function viewFrom({ name, sql, columns }: SchemaRow): View {
  return { name, sql, columns: columnsIn(columns).map((column) => columnOf(column, false)) };
}

/** The same table, its foreign keys with the primary keys that they refer to without naming them. */
export function withReferences(table: Table, tables: readonly Table[]): Table {
  const foreignKeys = table.foreignKeys.map((key) => {
    if (key.references.length > 0) return key;
    const name = key.table.toLowerCase();
    const target = tables.find((one) => one.name.toLowerCase() === name);
    return { ...key, references: target?.primaryKey?.columns ?? [] };
  });
  return { ...table, foreignKeys };
}

const NO_TEXT: TableText = { constraints: [], autoincrement: false };

function columnsIn(json: string | null): ColumnCells[] {
  const cells: ColumnCells[] = JSON.parse(json ?? "[]");
  return cells.sort(([a], [b]) => a - b);
}

function columnOf(
  [, name, type, notNull, defaultValue, primaryKey, hidden]: ColumnCells,
  rowid: boolean,
): Column {
  return {
    name,
    type,
    nullable: notNull === 0 && !(rowid && primaryKey > 0),
    notNull: notNull === 1,
    default: defaultValue ?? undefined,
    primaryKey,
    generated: hidden === 2 ? "virtual" : hidden === 3 ? "stored" : undefined,
    hidden: hidden === 1,
  };
}

function primaryKeyOf(
  cells: readonly ColumnCells[],
  indexes: readonly IndexCells[],
  { constraints, autoincrement }: TableText,
  hasRowid: boolean,
): PrimaryKey | undefined {
  const parts = cells.filter(([, , , , , place]) => place > 0)
    .sort(([, , , , , a], [, , , , , b]) => a - b);
  if (parts.length === 0) return undefined;
  // A key that is not the rowid has an index of its own.
  const indexed = indexes.some(([, , , origin]) => origin === "pk");
  return {
    name: constraints.find(({ kind }) => kind === "primary key")?.name,
    columns: parts.map(([, name]) => name),
    rowid: hasRowid && !indexed,
    autoincrement,
  };
}

function foreignKeysOf(
  row: SchemaRow,
  { constraints }: TableText,
  spelled: (name: string) => string,
): ForeignKey[] {
  const cells: ForeignKeyCells[] = JSON.parse(row.foreign_keys);
  const written = constraints.filter(({ kind }) => kind === "foreign key");
  // SQLite counts foreign keys from the last one on.
  const heads = cells.filter(([, seq]) => seq === 0).sort(([a], [b]) => b - a);
  return heads.map(([id, , table, , , onUpdate, onDelete], i) => {
    const parts = cells.filter(([of]) => of === id).sort(([, a], [, b]) => a - b);
    return {
      name: nameOf(written, i, heads.length),
      columns: parts.map(([, , , from]) => spelled(from)),
      table,
      references: parts.flatMap(([, , , , to]) => to === null ? [] : [to]),
      onUpdate: onUpdate as ForeignKeyAction,
      onDelete: onDelete as ForeignKeyAction,
    };
  });
}

function nameOf(written: readonly Constraint[], i: number, count: number): string | undefined {
  return written.length === count ? written[i]?.name : undefined;
}

function indexOf([, name, unique, , sql, terms]: IndexCells): Index {
  const { terms: texts, where } = readIndex(sql ?? "");
  return {
    name,
    unique: unique === 1,
    terms: [...terms].sort(([a], [b]) => a - b).map(([, column, descending], i) => ({
      column: column ?? undefined,
      expression: column === null ? texts[i] : undefined,
      descending: descending === 1,
    })),
    where,
  };
}

/** Constraints may spell the name of a column in another case. */
function spelling(cells: readonly ColumnCells[]): (name: string) => string {
  const exact = cells.map(([, name]) => name);
  const names = new Map(exact.map((name) => [name.toLowerCase(), name]));
  // Beyond ASCII a name in another case is another name.
  return (name) => exact.includes(name) ? name : names.get(name.toLowerCase()) ?? name;
}

function byName(a: Index, b: Index): number {
  return a.name < b.name ? -1 : 1;
}
