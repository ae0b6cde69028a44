import { literal } from "../../sql/quoting.ts";
import { TokenView } from "../../sql/token_view.ts";
import type { ForeignKey, Table } from "../../inspect/schema.ts";
import type { ColumnKind } from "./column_kind.ts";
import { type ColumnShape, hasDefault } from "./row_shape.ts";
import { literalType } from "./value_types.ts";

/** Notes that a name is used, so that it is imported, and answers it. */
export type Use = (name: string) => string;

/** A column that a column refers to, and what happens then. */
export interface Reference {
  /** Where it is in the schema, such as `users.id`. */
  readonly target: string;
  /** The foreign key. */
  readonly key: ForeignKey;
}

/** A column of a table or view as Drizzle has it, such as `integer("id").primaryKey()`. */
export function columnBuilder(
  column: ColumnShape,
  table: Table | undefined,
  references: readonly Reference[],
  use: Use,
): string {
  const name = JSON.stringify(column.name);
  let text = baseBuilder(column, name, use);
  if (table === undefined) return text;
  if (isKeyAlone(column, table)) text += `.primaryKey(${autoIncrement(table)})`;
  else if (!column.nullable) text += ".notNull()";
  const { default: given, generated } = column.column;
  if (given !== undefined && hasDefault(column.column)) {
    text += `.default(${defaultValue(given, column, use)})`;
  }
  if (generated !== undefined) {
    const expression = sqlTemplate(column.text?.expression ?? "", use);
    text += `.generatedAlwaysAs(${expression}, { mode: "${generated}" })`;
  }
  for (const { target, key } of references) {
    const actions = actionsOf(key).map(([when, action]) => `${when}: "${action}"`);
    const options = actions.length > 0 ? `, { ${actions.join(", ")} }` : "";
    text += `.references((): ${use("AnySQLiteColumn")} => ${target}${options})`;
  }
  return text;
}

/** What a foreign key does when the row that it refers to changes, unless that is nothing. */
export function actionsOf({ onUpdate, onDelete }: ForeignKey): [string, string][] {
  const actions: [string, string][] = [["onUpdate", onUpdate], ["onDelete", onDelete]];
  return actions.filter(([, action]) => action !== "NO ACTION")
    .map(([when, action]) => [when, action.toLowerCase()]);
}

/**
 * Whether a column says by itself that it is the primary key. Drizzle takes an integer that does for a rowid, which may be
 * left out.
 */
export function isKeyAlone({ kind, column }: ColumnShape, { primaryKey }: Table): boolean {
  if (column.primaryKey === 0 || primaryKey?.columns.length !== 1) return false;
  if (primaryKey.rowid) return true;
  return kind !== "integer" && kind !== "boolean" && primaryKey.name === undefined;
}

/** SQL as a template of Drizzle. */
export function sqlTemplate(text: string, use: Use): string {
  return `${use("sql")}\`${text.replaceAll(/[`\\]|\$\{/g, "\\$&")}\``;
}

function baseBuilder({ kind, values }: ColumnShape, name: string, use: Use): string {
  const literals = values?.map((value) => literalType(value, "number"));
  switch (kind) {
    case "integer": {
      const type = literals === undefined ? "" : `.$type<${literals.join(" | ")}>()`;
      return `${use("integer")}(${name})${type}`;
    }
    case "boolean":
      return `${use("integer")}(${name}, { mode: "boolean" })`;
    case "real":
      return `${use("real")}(${name})`;
    case "numeric":
      return `${use("numeric")}(${name}, { mode: "number" })`;
    case "mixed":
      return `${use("numeric")}(${name})`;
    case "text":
    case "date": {
      const options = literals === undefined ? "" : `, { enum: [${literals.join(", ")}] }`;
      return `${use("text")}(${name}${options})`;
    }
    case "json":
      return `${use("text")}(${name}, { mode: "json" })`;
    case "blob":
      return `${use("blob")}(${name}, { mode: "buffer" })`;
    case "any":
      return `${use("anyValue")}(${name})`;
  }
}

function autoIncrement({ primaryKey }: Table): string {
  return primaryKey?.autoincrement === true ? "{ autoIncrement: true }" : "";
}

/** Drizzle writes a default itself where no value is given, so it has to be the one of the database. */
function defaultValue(text: string, { kind, values }: ColumnShape, use: Use): string {
  const view = TokenView.of(text);
  const alone = view.tokens.length === 1;
  const kindOf = alone ? view.tokens[0]?.kind : undefined;
  const isText = kindOf === "string" || kindOf === "quoted";
  const value = isText ? view.name(0) : numberIn(text);
  if (value !== undefined && (values?.includes(value) ?? isOf(kind, value))) {
    return JSON.stringify(kind === "boolean" ? value === 1 : value);
  }
  // In double quotes SQLite takes it for text there, and for a column elsewhere.
  if (isText) return sqlTemplate(literal(view.name(0)), use);
  return sqlTemplate(alone ? text : `(${text})`, use);
}

/** The number that a default is; `undefined` if it is none, or JavaScript would write another. */
function numberIn(text: string): number | undefined {
  const isNumber = /^-?\d{1,15}(?:\.\d{1,15})?$/.test(text);
  if (isNumber) return Number(text);
  return /^(?:true|false)$/i.test(text) ? Number(text.toLowerCase() === "true") : undefined;
}

/** Whether Drizzle takes the value for a column of that kind. */
function isOf(kind: ColumnKind, value: string | number): boolean {
  if (typeof value === "string") return kind === "text" || kind === "date";
  if (kind === "boolean") return value === 0 || value === 1;
  return kind === "integer" ? Number.isInteger(value) : kind === "real" || kind === "numeric";
}
