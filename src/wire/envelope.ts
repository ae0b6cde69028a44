import { type Cell, NO_DATE, ODD } from "./cell.ts";
import { MalformedAnswerError } from "./json.ts";
import { isDoubtful } from "./long_integers.ts";

/** The JSON of one statement's result; absent members are zero, empty or not meant. */
export interface StatementAnswer {
  /** Why it failed. */
  readonly error?: string;
  /** Column names; absent after a write without RETURNING. */
  readonly columns?: readonly string[];
  /** Declared types, one for each column. */
  readonly types?: readonly string[];
  /** The rows. */
  readonly values?: Cell[][];
  /** Rows that the connection changed last, whoever changed them. */
  readonly rows_affected?: number;
  /** The rowid that the connection inserted last, whoever inserted it. */
  readonly last_insert_id?: number | bigint;
  /** Seconds that the node took, where it was asked for. */
  readonly time?: number;
}

/** The JSON of an answer to a list of statements. */
export interface Envelope {
  /** One for each statement that ran. */
  readonly results?: readonly StatementAnswer[];
  /** Why the request failed as a whole. */
  readonly error?: string;
}

/** What a column holds, as bits; most need nothing but to be put into rows. */
export const Holds = {
  /** Text. */
  text: 1,
  /** Text with control characters, or with bytes that were lost. */
  odd: 2,
  /** A number. */
  number: 4,
  /** A number without a fraction. */
  whole: 8,
  /** A number, perhaps an integer that lost digits. */
  long: 16,
  /** A list of bytes. */
  bytes: 32,
  /** The year 1, which the server makes of text that is no date. */
  noDate: 64,
} as const;

/** For each column of a result what it {@linkcode Holds}. */
export type Contents = readonly number[];

/**
 * Checks that an answer has the shape of rqlite's, and looks at all cells once. Lists of bytes become bytes, in place.
 *
 * @param odd Whether there can be {@linkcode Holds.odd} text or {@linkcode Holds.noDate} at all.
 * @returns What the rows of each result hold.
 * @throws {MalformedAnswerError} If rqlite would not send it.
 */
export function inspect(answer: unknown, odd: boolean): Contents[] {
  if (!isRecord(answer)) throw malformed("it is not an object");
  const { error, results } = answer;
  check(isOptional(error, "string"), "`error` is not text");
  if (results === undefined && error !== undefined) return [];
  if (!Array.isArray(results)) throw malformed("`results` is not a list");
  return results.map((result) => inspectResult(result, odd));
}

/** Makes bytes of the BLOBs of an answer that was parsed once more. @param contents What it holds. */
export function takeBytes({ results = [] }: Envelope, contents: readonly Contents[]): void {
  for (const [i, { values = [] }] of results.entries()) {
    if (!contents[i]?.some((holds) => holds & Holds.bytes)) continue;
    for (const cells of values) {
      for (let i = 0; i < cells.length; i++) {
        const cell: unknown = cells[i];
        if (typeof cell === "object" && cell !== null) cells[i] = bytesOf(cell);
      }
    }
  }
}

function inspectResult(result: unknown, odd: boolean): Contents {
  if (!isRecord(result)) throw malformed("a result is not an object");
  const { error, columns, types, values, rows_affected, last_insert_id } = result;
  check(isOptional(error, "string"), "a result's `error` is not text");
  check(isOptional(rows_affected, "number"), "`rows_affected` is not a number");
  check(isOptional(last_insert_id, "number"), "`last_insert_id` is not a number");
  const width = count(columns, "`columns` are not a list of names");
  check(
    count(types, "`types` are not a list of names") === width,
    "`types` do not match `columns`",
  );
  if (values === undefined) return Array<number>(width ?? 0).fill(0);
  if (width === undefined || !Array.isArray(values)) {
    throw malformed("`values` are not the rows of `columns`");
  }
  return inspectRows(values, width, odd);
}

function inspectRows(rows: readonly unknown[], width: number, odd: boolean): Contents {
  const holds = Array<number>(width).fill(0);
  for (let row = 0; row < rows.length; row++) {
    const cells = rows[row];
    if (!Array.isArray(cells) || cells.length !== width) {
      throw malformed("a row does not match `columns`");
    }
    for (let i = 0; i < cells.length; i++) {
      const cell: unknown = cells[i];
      if (typeof cell !== "object" || cell === null) holds[i]! |= inspectCell(cell, odd);
      else {
        cells[i] = bytesOf(cell);
        holds[i]! |= Holds.bytes;
      }
    }
  }
  return holds;
}

function inspectCell(cell: unknown, odd: boolean): number {
  if (typeof cell === "string") return odd ? inspectText(cell) : Holds.text;
  if (typeof cell === "number") {
    if (!Number.isInteger(cell)) return Holds.number;
    return isDoubtful(cell) ? Holds.number | Holds.whole | Holds.long : Holds.number | Holds.whole;
  }
  return 0;
}

function inspectText(cell: string): number {
  if (cell === NO_DATE) return Holds.text | Holds.noDate;
  return ODD.test(cell) ? Holds.text | Holds.odd : Holds.text;
}

function bytesOf(list: object): Uint8Array {
  check(Array.isArray(list), NO_CELL);
  const { length } = list as unknown[];
  // By hand: engines take several times as long to make short ones of a list.
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    const byte = (list as number[])[i]!;
    if ((byte & 0xff) !== byte) throw malformed(NO_CELL);
    bytes[i] = byte;
  }
  return bytes;
}

const NO_CELL = "a cell is neither a value nor a list of bytes";

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isOptional(value: unknown, type: "string" | "number"): boolean {
  return value === undefined || typeof value === type;
}

/** How many texts there are; `undefined` for none at all. */
function count(value: unknown, otherwise: string): number | undefined {
  if (value === undefined) return undefined;
  const fine = Array.isArray(value) && value.every((item) => typeof item === "string");
  if (!fine) throw malformed(otherwise);
  return value.length;
}

function check(fine: boolean, otherwise: string): void {
  if (!fine) throw malformed(otherwise);
}

function malformed(reason: string): MalformedAnswerError {
  return new MalformedAnswerError(`Cannot read the answer as ${reason}`);
}
