import type { Row, Value } from "../sql/value.ts";

/** Makes an object of the cells of a row. */
export type RowBuilder = (cells: readonly Value[]) => Row;

/**
 * A function that makes objects of rows with these columns. Of columns with one name the last wins; any name is an
 * own property, `__proto__` too.
 */
export function rowBuilder(columns: readonly string[]): RowBuilder {
  return columns.includes("__proto__") ? defining(columns) : assigning(columns);
}

/**
 * A plain loop: literals with computed keys are a little faster while a program knows few column lists, and
 * three times slower in V8 once it has seen many; generated code is forbidden on Workers.
 */
function assigning(columns: readonly string[]): RowBuilder {
  return (cells) => {
    const row: Row = {};
    for (let i = 0; i < columns.length; i++) row[columns[i]!] = cells[i]!;
    return row;
  };
}

/** Assigning to `__proto__` would change the prototype. */
function defining(columns: readonly string[]): RowBuilder {
  return (cells) => {
    const row: Row = {};
    for (let i = 0; i < columns.length; i++) {
      Object.defineProperty(row, columns[i]!, {
        value: cells[i]!,
        configurable: true,
        enumerable: true,
        writable: true,
      });
    }
    return row;
  };
}
