import type { Result, Row, Value } from "../sql/value.ts";

/** How results are asked for: by position, as joins have columns of one name, and with every digit. */
export const CELLS = { rows: "array", integers: "auto" } as const;

/**
 * The rows of a result that was asked for with {@linkcode CELLS}, booleans as SQLite stores them.
 *
 * @example
 * ```ts
 * import { connect } from "@tangled/rqlite";
 * import { CELLS, cellsOf } from "@tangled/rqlite/driver";
 * import { embedded } from "@tangled/rqlite/embedded";
 *
 * const db = connect(embedded());
 * await db.execute("CREATE TABLE tasks(title TEXT, done BOOLEAN)");
 * await db.execute("INSERT INTO tasks VALUES('Write', true)");
 * console.log(cellsOf(await db.query("SELECT * FROM tasks", [], CELLS))); // [ [ "Write", 1 ] ]
 * await db.close();
 * ```
 */
export function cellsOf({ rows, types }: Result<unknown>): Value[][] {
  const cells = rows as Value[][];
  // rqlite answers true and false for what SQLite stores as 1 and 0, and Drizzle expects.
  if (!types.includes("boolean")) return cells;
  return cells.map((row) => row.map((cell) => typeof cell === "boolean" ? Number(cell) : cell));
}

/**
 * The same rows as objects; of columns with one name the last wins.
 *
 * @example
 * ```ts
 * import { objectsOf } from "@tangled/rqlite/driver";
 *
 * const columns = ["id", "name"];
 * const types = ["integer", "text"];
 * const result = { columns, types, rows: [[1, "Ada"]], rowsAffected: 0, lastInsertId: undefined };
 * console.log(objectsOf(result)); // [ { id: 1, name: "Ada" } ]
 * ```
 */
export function objectsOf(result: Result<unknown>): Row[] {
  const { columns } = result;
  return cellsOf(result).map((row) =>
    Object.fromEntries(columns.map((column, i) => [column, row[i] ?? null]))
  );
}

/** A result as `run()` of an ORM answers it. */
export interface RunResult extends Result {
  /** The same as `lastInsertId`, by the name that other drivers for SQLite give it. */
  readonly lastInsertRowid: number | bigint | undefined;
}

/**
 * A result that was asked for with {@linkcode CELLS}, as `run()` answers it.
 *
 * @example
 * ```ts
 * import { connect } from "@tangled/rqlite";
 * import { CELLS, runResultOf } from "@tangled/rqlite/driver";
 * import { embedded } from "@tangled/rqlite/embedded";
 *
 * const db = connect(embedded());
 * await db.execute("CREATE TABLE tasks(title TEXT)");
 * const result = await db.execute("INSERT INTO tasks VALUES('Write')", [], CELLS);
 * console.log(runResultOf(result).lastInsertRowid); // 1
 * await db.close();
 * ```
 */
export function runResultOf(result: Result<unknown>): RunResult {
  // Not by spreading: that would look at `lastInsertId`, and transactions check an id that was looked at.
  const { rows: _, ...others } = Object.getOwnPropertyDescriptors(result);
  const rows = { value: objectsOf(result), enumerable: true };
  const lastInsertRowid = { get: () => result.lastInsertId, enumerable: true };
  return Object.defineProperties({}, { ...others, lastInsertRowid, rows }) as RunResult;
}
