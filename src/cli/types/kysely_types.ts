import type { IntegerMode } from "../../sql/value.ts";
import { Names, pascalCase, propertyKey } from "./names.ts";
import { interfaceText } from "./plain_types.ts";
import type { ColumnShape, RowShape } from "./row_shape.ts";
import { valueTypes } from "./value_types.ts";

/** The interface of the database for Kysely, and that of each table and view. */
export function kyselyTypes(rows: readonly RowShape[], integers: IntegerMode): string[] {
  const names = new Names([]);
  const tables = rows.map(({ name, columns }) => ({
    name,
    type: names.take(`${pascalCase(name)}Table`, ""),
    columns: columns.map((column) => ({ name: column.name, type: columnType(column, integers) })),
  }));
  const columns = tables.flatMap((table) => table.columns);
  const used = ["ColumnType", "Generated"].filter((name) =>
    columns.some(({ type }) => type.startsWith(`${name}<`))
  );
  const imports = used.length > 0 ? [`import type { ${used.join(", ")} } from "kysely";\n`] : [];
  const interfaces = tables.map(({ type, columns }) => interfaceText(type, columns.map(lineOf)));
  return [...imports, interfaceText("DB", tables.map(lineOf)), ...interfaces];
}

function lineOf({ name, type }: { readonly name: string; readonly type: string }): string {
  return `  ${propertyKey(name)}: ${type};\n`;
}

function columnType(column: ColumnShape, integers: IntegerMode): string {
  // The dialect gives booleans as other dialects for SQLite do.
  const { read, written } = valueTypes(column, integers, "number");
  if (column.readOnly) return `ColumnType<${read}, never, never>`;
  // What may be NULL may be left out anyway.
  const optional = column.optional && !column.nullable;
  if (read === written) return optional ? `Generated<${read}>` : read;
  return `ColumnType<${read}, ${written}${optional ? " | undefined" : ""}, ${written}>`;
}
