import type { IntegerMode } from "../../sql/value.ts";
import { Names, pascalCase, propertyKey } from "./names.ts";
import type { ColumnShape, RowShape } from "./row_shape.ts";
import { valueTypes } from "./value_types.ts";

/** Types of the language that the text itself uses. */
const USED = ["Date", "Uint8Array"];

/** For each table and view the type of its rows, and for each table that of what an INSERT takes. */
export function plainTypes(rows: readonly RowShape[], integers: IntegerMode): string[] {
  const names = new Names(USED);
  return rows.flatMap(({ name, columns, table }) => {
    const pascal = pascalCase(name);
    const read = columns.map((column) =>
      `  ${propertyKey(column.name)}: ${typesOf(column, integers).read};\n`
    );
    const row = interfaceText(names.take(pascal, "Row"), read);
    if (table === undefined) return [row];
    const written = columns.filter(({ readOnly }) => !readOnly).map((column) => {
      const mark = column.optional ? "?" : "";
      return `  ${propertyKey(column.name)}${mark}: ${typesOf(column, integers).written};\n`;
    });
    return [row, interfaceText(names.take(`${pascal}Insert`, ""), written)];
  });
}

function typesOf(column: ColumnShape, integers: IntegerMode) {
  return valueTypes(column, integers, "boolean");
}

/** An interface of properties that are lines already. */
export function interfaceText(name: string, properties: readonly string[]): string {
  return `export interface ${name} {\n${properties.join("")}}\n`;
}
