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

/** A result as `run()` of an ORM answers it. */
export interface RunResult extends Result {
  /** The same as `lastInsertId`, by the name that other drivers for SQLite give it. */
  readonly lastInsertRowid: number | bigint | undefined;
}

/** A result that was asked for with {@linkcode CELLS}, as `run()` answers it. */
export function runResultOf(result: Result<unknown>): RunResult {
  // Not by spreading: that would look at `lastInsertId`, and transactions check an id that was looked at.
  const { rows: _, ...others } = Object.getOwnPropertyDescriptors(result);
  const rows = { value: objectsOf(result), enumerable: true };
  const lastInsertRowid = { get: () => result.lastInsertId, enumerable: true };
  return Object.defineProperties({}, { ...others, lastInsertRowid, rows }) as RunResult;
}
