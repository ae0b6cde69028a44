import { DataError } from "../errors.ts";
import type { IntegerMode, Value } from "../sql/value.ts";

/** A cell as JSON has it, but for BLOBs, which are bytes by now; `bigint` is an integer beyond 2^53 (see `parseExact`). */
export type Cell = null | boolean | number | bigint | string | Uint8Array;

/**
 * Whether a column is REAL. Where only the server's "real" says so it may be the type of the first row alone: "likely", if
 * nothing speaks against it, an integer beyond 2^53 is a REAL; "perhaps", only if that loses nothing.
 */
export type Reality = "yes" | "no" | "likely" | "perhaps";

/** A column, and how its cells are decoded. */
export interface CellSpec {
  /** Its name. */
  readonly column: string;
  /** Whether it is REAL, so that whatever looks like an integer in it is none. */
  readonly real: Reality;
  /** How INTEGER values come back. */
  readonly integers: IntegerMode;
  /** Text in which bytes were lost is an error; otherwise it has U+FFFD for them. */
  readonly exact: boolean;
}

/** What the server sends for text that is no date in a column of dates. */
export const NO_DATE = "0001-01-01T00:00:00Z";

/** Any control character but tabulator and line ends; or a lone surrogate, see `LOST`. */
export const ODD: RegExp = /(?![\t\n\r])[\p{Cc}\p{Cs}]/u;

/** Stands for bytes that were lost: no server sends a lone surrogate. */
export const LOST = "\udfff";

/** Bytes that were lost: the second half of a pair is none of them. */
const LOST_BYTES = new RegExp(LOST, "gu");

/**
 * The value of a cell.
 *
 * @param kind What a second look told: the storage class in lower case, of a BLOB its bytes in hexadecimal digits, of
 * text in a column of dates `=` and what is stored.
 * @throws {DataError} If it cannot be told, or does not fit into the caller's form.
 */
export function decodeCell(cell: Cell, spec: CellSpec, kind?: string): Value {
  if (kind !== undefined) return decodeTold(cell, spec, kind);
  if (typeof cell === "string") return decodeText(cell, spec, NO_TEXT);
  if (typeof cell === "number") return isInteger(cell) ? decodeInteger(cell, spec) : cell;
  if (typeof cell === "bigint") return decodeInteger(cell, spec);
  return cell;
}

/** Text with U+FFFD for the bytes that were lost. */
export function withoutLost(text: string): string {
  return text.replace(LOST_BYTES, "\ufffd");
}

function decodeTold(cell: Cell, spec: CellSpec, kind: string): Value {
  if (kind === "real") return Number(cell);
  if (kind === "integer" || kind === "null") return decodeCell(cell, { ...spec, real: "no" });
  if (kind === "text") return decodeText(cell as string, spec, NO_UTF8);
  return kind.startsWith("=") ? decodeDate(cell as string, kind.slice(1)) : bytesOf(kind);
}

/** As the server sends it, unless that is what it makes of text that is no date. */
function decodeDate(cell: string, stored: string): string {
  return cell !== NO_DATE || stored.trim().startsWith(NO_DATE.slice(0, 10))
    ? cell
    : withoutLost(stored);
}

function bytesOf(hex: string): Uint8Array {
  const bytes = new Uint8Array(hex.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

const NO_TEXT = "the server sends bytes as text here, and some are lost: select hex() of it";
const NO_UTF8 = "it is TEXT that is no UTF-8: select hex() of it";

function decodeText(cell: string, { column, exact }: CellSpec, reason: string): string {
  if (cell.isWellFormed()) return cell;
  if (!exact) return withoutLost(cell);
  throw new DataError(`Cannot return column ${JSON.stringify(column)} as ${reason}`, { column });
}

/** Integers beyond 2^53 are `bigint` by now, and `-0` can only be REAL. */
function isInteger(cell: number): boolean {
  return Number.isSafeInteger(cell) && !Object.is(cell, -0);
}

function decodeInteger(cell: number | bigint, spec: CellSpec): Value {
  const { integers, column } = spec;
  if (isReal(cell, spec)) return Number(cell);
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

/** Whether an integer may be how the server writes a REAL: the shortest digits, and zeros. */
export function looksReal(cell: number | bigint): boolean {
  return String(Number(cell)) === String(cell);
}

function isReal(cell: number | bigint, { column, real }: CellSpec): boolean {
  if (real === "yes" || real === "no") return real === "yes";
  if (!looksReal(cell)) return false;
  if (real === "likely" || typeof cell === "number" || BigInt(Number(cell)) === cell) return true;
  throw new DataError(
    `Cannot return column ${JSON.stringify(column)} as ${cell} may be an INTEGER or a REAL here: ` +
      "read it in a call of its own, or return quote() of it",
    { column },
  );
}
