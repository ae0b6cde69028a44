import type { QueryOptions } from "./executor.ts";
import type { Result } from "../sql/value.ts";

/** The first row of a result. */
export function firstOf<R>({ rows }: Result<R>): R | undefined {
  return rows[0];
}

/** The options of a query whose first column is wanted: names that are equal or twice do not matter then. */
export function asCells<O extends QueryOptions>(options: O | undefined): O & { rows: "array" } {
  // The spread of nothing has no more of O's members than the caller gave.
  return { ...options, rows: "array" } as O & { rows: "array" };
}

/** The first column of the first row; the rows have to be arrays. */
export function valueOf<T>({ rows }: Result<unknown>): T | undefined {
  // The value has the type that the caller named with T.
  return (rows[0] as readonly T[] | undefined)?.[0];
}
