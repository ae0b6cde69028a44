// Values on their way from a node, exact whatever they are: digits of integers, bytes of texts and BLOBs. SQLite's text of
// a REAL depends on its version; the server's JSON does not, but knows no infinity, and writes whole REALs beyond 2^53
// like integers: these have all digits of the integer that they are.

import { bytesIn } from "../sql/quoting.ts";
import type { Value } from "../sql/value.ts";

/** REALs from the first to the second are whole, and an INTEGER has their value. */
const WHOLE = "9007199254740992.0 AND 9223372036854774784.0";

/** SQL for the cell of a value. */
export function cellOf(expression: string): string {
  const c = expression;
  return `CASE typeof(${c}) WHEN 'integer' THEN 'i'||${c} WHEN 'text' THEN 't'||hex(${c}) ` +
    `WHEN 'blob' THEN 'b'||hex(${c}) WHEN 'null' THEN 'n' ` +
    `ELSE CASE ${c} WHEN 9e999 THEN 'r9e999' WHEN -9e999 THEN 'r-9e999' ` +
    `ELSE CASE WHEN abs(${c}) BETWEEN ${WHOLE} THEN 'r'||CAST(${c} AS INTEGER) ELSE ${c} END END END`;
}

/** A cell as it arrived: text, or the number of a REAL. */
export function cellFrom(arrived: unknown): string {
  if (typeof arrived === "string") return arrived;
  return Object.is(arrived, -0) ? "r-0" : `r${Number(arrived)}`;
}

/** The value as SQL that means the same; of a REAL a placeholder, for which the value is added to `params`. */
export function literalOf(cell: string, params: number[]): string {
  const rest = cell.slice(1);
  switch (cell[0]) {
    case "i":
      return rest;
    case "t":
      return `CAST(x'${rest}' AS TEXT)`;
    case "b":
      return `x'${rest}'`;
    default:
      if (rest.includes("9e999")) return rest;
      params.push(Number(rest));
      return "?";
  }
}

/** The value in a cell; an integer beyond 2^53 is a `bigint`. */
export function valueOf(cell: string): Value {
  const rest = cell.slice(1);
  switch (cell[0]) {
    case "i": {
      const n = Number(rest);
      return Number.isSafeInteger(n) ? n : BigInt(rest);
    }
    case "t":
      return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytesIn(rest));
    case "b":
      return bytesIn(rest);
    case "n":
      return null;
    default:
      return Number(rest);
  }
}
