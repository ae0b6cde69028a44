import { DataError } from "@tangled/rqlite";
import { is } from "drizzle-orm/entity";
import {
  type SelectedFieldsOrdered,
  SQLiteInteger,
  SQLiteTimestamp,
} from "drizzle-orm/sqlite-core";

/**
 * Looks for integers that Drizzle's types call numbers.
 *
 * @throws {DataError} If one of them is too long for that.
 */
export function checkNumbers(row: readonly unknown[], fields: SelectedFieldsOrdered): void {
  for (let i = 0; i < row.length; i++) {
    const cell = row[i];
    if (typeof cell !== "bigint") continue;
    const { field, path } = fields[i]!;
    if (is(field, SQLiteInteger) || is(field, SQLiteTimestamp)) throw tooLong(cell, path.join("."));
  }
}

function tooLong(value: bigint, column: string): DataError {
  return new DataError(
    `Cannot return ${value} of column ${JSON.stringify(column)} as a number without losing ` +
      "digits: declare the column with customType and BigInt",
    { column },
  );
}
