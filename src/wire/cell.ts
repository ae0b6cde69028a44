import { DataError } from "../errors.ts";
import type { IntegerMode, Value } from "../sql/value.ts";

/** A cell as JSON has it: an array is a BLOB, `bigint` an integer beyond 2^53 (see `parseExact`). */
export type Cell = null | boolean | number | bigint | string | readonly number[];

/** A column, and how its cells are decoded. */
export interface CellSpec {
  /** Its name. */
  readonly column: string;
  /** It is REAL: whatever looks like an integer in it is none. */
  readonly real: boolean;
  /** How INTEGER values come back. */
  readonly integers: IntegerMode;
}

/** The value of a cell. */
export function decodeCell(cell: Cell, spec: CellSpec): Value {
  if (typeof cell === "string") return cell;
  if (typeof cell === "number") return isInteger(cell) ? decodeInteger(cell, spec) : cell;
  if (typeof cell === "bigint") return decodeInteger(cell, spec);
  return typeof cell === "boolean" || cell === null ? cell : new Uint8Array(cell);
}

/** Integers beyond 2^53 are `bigint` by now, and `-0` can only be REAL. */
function isInteger(cell: number): boolean {
  return Number.isSafeInteger(cell) && !Object.is(cell, -0);
}

function decodeInteger(cell: number | bigint, { real, integers, column }: CellSpec): Value {
  if (real) return Number(cell);
  if (integers === "bigint") return BigInt(cell);
  if (integers === "string") return String(cell);
  if (integers === "auto" || typeof cell === "number") return cell;
  throw new DataError(
    `Cannot return ${cell} of column ${
      JSON.stringify(column)
    } as a number without losing digits: ` +
      'set `integers` to "bigint", "string" or "auto"',
    { column },
  );
}
