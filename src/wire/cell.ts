import { DataError } from "../errors.ts";
import type { IntegerMode, Value } from "../sql/value.ts";
import { decodeBase64 } from "./base64.ts";
import { isDoubtful } from "./long_integers.ts";
import { MalformedAnswerError } from "./malformed_answer.ts";

/** A cell as JSON has it: an array is a BLOB, `bigint` an integer beyond 2^53 (see `parseExact`). */
export type Cell = null | boolean | number | bigint | string | readonly number[];

/** Which cells of a result need work. */
export interface Contents {
  /** A number, perhaps an integer that lost digits, in a column that is not REAL. */
  readonly doubtful: boolean;
  /** A BLOB. */
  readonly blobs: boolean;
}

/** Looks at all cells once: most results need nothing more. */
export function inspect(
  rows: readonly (readonly Cell[])[],
  real: readonly boolean[],
): Contents {
  let doubtful = false;
  let blobs = false;
  for (let row = 0; row < rows.length; row++) {
    const cells = rows[row]!;
    for (let i = 0; i < cells.length; i++) {
      const cell = cells[i];
      if (typeof cell === "number") {
        if (isDoubtful(cell) && !real[i]) doubtful = true;
      } else if (typeof cell === "object" && cell !== null) {
        blobs = true;
      }
    }
  }
  return { doubtful, blobs };
}

/** A column, and how its cells are decoded. */
export interface CellSpec {
  /** Its name. */
  readonly column: string;
  /** It is REAL: whatever looks like an integer in it is none. */
  readonly real: boolean;
  /** Its texts are base64. */
  readonly base64: boolean;
  /** How INTEGER values come back. */
  readonly integers: IntegerMode;
}

/** The value of a cell. */
export function decodeCell(cell: Cell, spec: CellSpec): Value {
  if (typeof cell === "string") return spec.base64 ? decodeBase64(cell) ?? cell : cell;
  if (typeof cell === "number") return isInteger(cell) ? decodeInteger(cell, spec) : cell;
  if (typeof cell === "bigint") return decodeInteger(cell, spec);
  if (typeof cell === "boolean" || cell === null) return cell;
  if (!Array.isArray(cell)) throw new MalformedAnswerError("Cannot read a cell as it is an object");
  return new Uint8Array(cell);
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
