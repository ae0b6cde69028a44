import { is } from "drizzle-orm/entity";
import {
  type SelectedFieldsOrdered,
  SQLiteInteger,
  SQLiteTimestamp,
} from "drizzle-orm/sqlite-core";
import { DataError } from "../errors.ts";
import type { Result, Row, Value } from "../sql/value.ts";

/** How results are asked for: by position, as joins have columns of one name, and with every digit. */
export const CELLS = { rows: "array", integers: "auto" } as const;

/** The rows of a result that was asked for with {@linkcode CELLS}. */
export function cellsOf({ rows, types }: Result<unknown>): Value[][] {
  const cells = rows as Value[][];
  // rqlite answers true and false for what SQLite stores as 1 and 0, and Drizzle expects.
  if (!types.includes("boolean")) return cells;
  return cells.map((row) => row.map((cell) => typeof cell === "boolean" ? Number(cell) : cell));
}

/** The same rows as objects; of columns with one name the last wins. */
export function objectsOf(result: Result<unknown>): Row[] {
  const { columns } = result;
  return cellsOf(result).map((row) =>
    Object.fromEntries(columns.map((column, i) => [column, row[i]!]))
  );
}

/** A result as `run()` answers it. */
export function runResultOf(result: Result<unknown>): Result {
  return { ...result, rows: objectsOf(result) };
}

/** The positions of columns whose values are numbers in the types of Drizzle. */
export function numberColumns(fields: SelectedFieldsOrdered): number[] {
  return fields.flatMap(({ field }, i) =>
    is(field, SQLiteInteger) || is(field, SQLiteTimestamp) ? i : []
  );
}

/** @throws {DataError} If an integer is too long for a column that is typed as a number. */
export function checkNumbers(
  row: readonly unknown[],
  fields: SelectedFieldsOrdered,
  positions: readonly number[],
): void {
  for (const i of positions) {
    if (typeof row[i] === "bigint") throw tooLong(row[i], fields[i]!.path.join("."));
  }
}

function tooLong(value: bigint, column: string): DataError {
  return new DataError(
    `Cannot return ${value} of column ${JSON.stringify(column)} as a number without losing ` +
      "digits: declare the column with customType and BigInt",
    { column },
  );
}
