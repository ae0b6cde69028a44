import { type ColumnText, readColumns } from "../../inspect/ddl.ts";
import type { Check, Column, Schema, Table, View } from "../../inspect/schema.ts";
import { TokenView } from "../../sql/token_view.ts";
import { type ColumnKind, columnKind } from "./column_kind.ts";

/** A column. */
export interface ColumnShape {
  /** Its name. */
  readonly name: string;
  /** What it holds. */
  readonly kind: ColumnKind;
  /** All values that its checks let in, if they list them. */
  readonly values: readonly (string | number)[] | undefined;
  /** Whether it may be NULL; a column of a primary key is not meant to be. */
  readonly nullable: boolean;
  /** Whether an INSERT may leave it out. */
  readonly optional: boolean;
  /** Whether nothing may be written to it, because it is computed, or a column of a view. */
  readonly readOnly: boolean;
  /** What SQLite tells of it. */
  readonly column: Column;
  /** What only its text tells; `undefined` for a view, and where a module keeps the table. */
  readonly text: ColumnText | undefined;
}

/** A table or view with the columns that `SELECT *` answers. */
export interface RowShape {
  /** Its name. */
  readonly name: string;
  /** Its columns, in order; none of a view that does not compile. */
  readonly columns: readonly ColumnShape[];
  /** The table; `undefined` for a view. */
  readonly table: Table | undefined;
}

/** The shapes of all rows: tables, then views, by name. */
export function rowShapes({ tables, views }: Schema): RowShape[] {
  return [...tables.map(tableShape), ...views.map(viewShape)];
}

function tableShape(table: Table): RowShape {
  const texts = table.virtual ? [] : readColumns(table.sql);
  const searched = table.virtual ? searchedColumns(table.sql) : () => false;
  const columns = table.columns.filter(({ hidden }) => !hidden).map((column): ColumnShape => {
    const text = texts.find(({ name }) => name === column.name);
    const kind = searched(column.name) ? "text" : columnKind(column.type);
    const rowid = column.primaryKey > 0 && table.primaryKey?.rowid === true;
    const nullable = column.nullable && column.primaryKey === 0;
    return {
      name: column.name,
      kind,
      values: isBinary(text) ? valuesOf(table.checks, column, kind) : undefined,
      nullable,
      optional: nullable || rowid || hasDefault(column),
      readOnly: column.generated !== undefined,
      column,
      text,
    };
  });
  return { name: table.name, columns, table };
}

function viewShape({ name, columns }: View): RowShape {
  const shapes = columns.map((column): ColumnShape => ({
    name: column.name,
    kind: columnKind(column.type),
    values: undefined,
    nullable: true,
    optional: false,
    readOnly: true,
    column,
    text: undefined,
  }));
  return { name, columns: shapes, table: undefined };
}

/** Whether a default gives a value where none is given; NULL is none. */
export function hasDefault({ default: text }: Column): boolean {
  return text !== undefined && text.toUpperCase() !== "NULL";
}

/** Columns of FTS5 have no type; those that it searches hold text. */
function searchedColumns(sql: string): (name: string) => boolean {
  const view = TokenView.of(sql);
  const using = view.tokens.findIndex((_, i) => view.isWord(i, "USING"));
  if (view.name(using + 1).toLowerCase() !== "fts5") return () => false;
  const stored = view.tokens.map((_, i) => i).filter((i) => view.isWord(i + 1, "UNINDEXED"))
    .map((i) => view.name(i).toLowerCase());
  return (name) => !stored.includes(name.toLowerCase());
}

/** Another collation lets in more than a list says. */
function isBinary(text: ColumnText | undefined): boolean {
  return (text?.collation ?? "BINARY").toUpperCase() === "BINARY";
}

/** The values of `CHECK (column IN (…))`. */
function valuesOf(
  checks: readonly Check[],
  { name }: Column,
  kind: ColumnKind,
): ColumnShape["values"] {
  if (kind !== "text" && kind !== "integer") return undefined;
  for (const { expression } of checks) {
    const values = listedValues(expression, name, kind);
    if (values !== undefined) return values;
  }
  return undefined;
}

function listedValues(
  expression: string,
  column: string,
  kind: "text" | "integer",
): (string | number)[] | undefined {
  const view = TokenView.of(expression);
  const isList = view.name(0).toLowerCase() === column.toLowerCase() &&
    view.tokens[0]?.kind !== "string" && view.isWord(1, "IN") && view.is(2, "(");
  if (!isList) return undefined;
  const values: (string | number)[] = [];
  const end = view.tokens.length - 1;
  for (let i = 3; i <= end; i += 2) {
    const negative = kind === "integer" && view.is(i, "-");
    if (negative) i++;
    const value = kind === "text" ? stringAt(view, i) : integerAt(view, i);
    if (value === undefined || !view.is(i + 1, i + 1 === end ? ")" : ",")) return undefined;
    values.push(negative ? -value : value);
  }
  return values.length > 0 ? [...new Set(values)] : undefined;
}

function stringAt(view: TokenView, i: number): string | undefined {
  return view.tokens[i]?.kind === "string" ? view.name(i) : undefined;
}

function integerAt(view: TokenView, i: number): number | undefined {
  const value = /^\d+$/.test(view.text(i)) ? Number(view.text(i)) : undefined;
  return Number.isSafeInteger(value) ? value : undefined;
}
