import type { QueryResult } from "kysely";
import type { Result, Row } from "@tangled/rqlite";

/** The result of a statement as Kysely's SQLite dialects answer it. */
export function queryResult(
  { rows, types, columns, rowsAffected, lastInsertId }: Result,
): QueryResult<Row> {
  if (types.includes("boolean")) numberBooleans(rows, columns, types);
  // What answers columns and changed nothing is a read, or as good as one.
  if (columns.length > 0 && rowsAffected === 0) return { rows };
  return {
    rows,
    numAffectedRows: BigInt(rowsAffected),
    ...(lastInsertId !== undefined && { insertId: BigInt(lastInsertId) }),
  };
}

/** A row whose column types are not known, with booleans as SQLite stores them. */
export function sqliteRow(row: Row): Row {
  for (const column in row) numberBoolean(row, column);
  return row;
}

/** The server makes booleans of the numbers in BOOLEAN columns. */
function numberBooleans(
  rows: readonly Row[],
  columns: readonly string[],
  types: readonly string[],
): void {
  const declared = columns.filter((_, i) => types[i] === "boolean");
  for (const row of rows) {
    for (const column of declared) numberBoolean(row, column);
  }
}

function numberBoolean(row: Row, column: string): void {
  const value = row[column];
  if (typeof value === "boolean") row[column] = Number(value);
}
