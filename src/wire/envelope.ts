import { affinity } from "./affinity.ts";
import type { Cell } from "./cell.ts";
import { isDoubtful } from "./long_integers.ts";
import { MalformedAnswerError } from "./malformed_answer.ts";

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
}

/** The JSON of an answer to a list of statements. */
export interface Envelope {
  /** One for each statement that ran. */
  readonly results?: readonly StatementAnswer[];
  /** Why the request failed as a whole. */
  readonly error?: string;
}

/** What the rows of a result hold; most need nothing but to be built. */
export interface Contents {
  /** A number, perhaps an integer that lost digits, in a column that is not REAL. */
  readonly doubtful: boolean;
  /** A BLOB. */
  readonly blobs: boolean;
}

const NOTHING: Contents = { doubtful: false, blobs: false };

/**
 * Checks that an answer has the shape of rqlite's, and looks at all cells once.
 *
 * @returns What the rows of each result hold.
 * @throws {MalformedAnswerError} If rqlite would not send it.
 */
export function inspect(answer: unknown): Contents[] {
  if (!isRecord(answer)) throw malformed("it is not an object");
  const { error, results } = answer;
  check(isOptional(error, "string"), "`error` is not text");
  if (results === undefined && error !== undefined) return [];
  if (!Array.isArray(results)) throw malformed("`results` is not a list");
  return results.map(inspectResult);
}

function inspectResult(result: unknown): Contents {
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
  if (values === undefined) return NOTHING;
  check(width !== undefined && Array.isArray(values), "`values` are not the rows of `columns`");
  return inspectRows(
    values as unknown[],
    (types as string[]).map((type) => affinity(type) === "real"),
  );
}

function inspectRows(rows: readonly unknown[], real: readonly boolean[]): Contents {
  let doubtful = false;
  let blobs = false;
  for (let row = 0; row < rows.length; row++) {
    const cells = rows[row];
    if (!Array.isArray(cells) || cells.length !== real.length) {
      throw malformed("a row does not match `columns`");
    }
    for (let i = 0; i < cells.length; i++) {
      const cell: unknown = cells[i];
      if (typeof cell === "number") {
        if (isDoubtful(cell) && !real[i]) doubtful = true;
      } else if (typeof cell === "object" && cell !== null) {
        check(isBytes(cell), "a cell is neither a value nor a list of bytes");
        blobs = true;
      }
    }
  }
  return { doubtful, blobs };
}

function isBytes(cell: object): boolean {
  if (!Array.isArray(cell)) return false;
  for (let i = 0; i < cell.length; i++) {
    const byte: unknown = cell[i];
    if (typeof byte !== "number" || (byte & 0xff) !== byte) return false;
  }
  return true;
}

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
