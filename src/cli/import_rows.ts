import { DataError } from "../errors.ts";
import type { Param } from "../sql/value.ts";
import { affinity } from "../wire/affinity.ts";
import { parseExact } from "../wire/json.ts";
import { type CsvRecord, type Field, readCsv } from "./csv.ts";
import { json } from "./format_rows.ts";
import { bytesOf, numberIn } from "./values.ts";

/** A row of a file. */
export interface FileRow {
  /** The line on which it begins, from 1. */
  readonly line: number;
  /** Its values: in order, or by the names of their columns. */
  readonly row: readonly Param[] | Readonly<Record<string, Param>>;
}

/** The declared types of a table's columns, by their names in lower case. */
export type Types = ReadonlyMap<string, string>;

/** All rows of a file. */
export interface FileRows {
  /** The columns that the values are for; `undefined` where the rows say it. */
  readonly columns: readonly string[] | undefined;
  /** The rows, as they are read. */
  readonly rows: AsyncGenerator<FileRow>;
}

/**
 * Rows in CSV. The first record names the columns, unless they are given.
 *
 * @throws {DataError} If a record cannot be a row; the message names its line.
 */
export async function csvRows(
  pieces: AsyncIterable<string>,
  { delimiter, columns, types }: {
    delimiter: string;
    columns: readonly string[] | undefined;
    types: Types;
  },
): Promise<FileRows> {
  const records = readCsv(pieces, delimiter);
  const names = columns ?? await headerOf(records);
  const unknown = names.find((name) => !types.has(name.toLowerCase()));
  if (unknown !== undefined) {
    throw new DataError(
      `Cannot import the column ${JSON.stringify(unknown)} as the table has only ${
        [...types.keys()].join(", ")
      }` +
        (columns === undefined ? ": name the columns by --columns where line 1 does not" : ""),
    );
  }
  const numeric = names.map((name) =>
    /integer|real|numeric/.test(affinity(types.get(name.toLowerCase()) ?? ""))
  );
  return { columns: names, rows: rowsOf(records, numeric) };
}

async function headerOf(records: AsyncGenerator<CsvRecord>): Promise<readonly string[]> {
  const { done, value } = await records.next();
  if (done) throw new DataError("Cannot import the file as it is empty: line 1 names the columns");
  return value.fields.map(({ text }: Field) => text.trim());
}

async function* rowsOf(
  records: AsyncGenerator<CsvRecord>,
  numeric: readonly boolean[],
): AsyncGenerator<FileRow> {
  for await (const { fields, line } of records) {
    const [first] = fields;
    const blank = fields.length === 1 && first?.text === "" && !first.quoted;
    if (blank && numeric.length > 1) continue;
    if (fields.length !== numeric.length) {
      throw new DataError(
        `Cannot import line ${line} as it has not ${numeric.length} fields but ${fields.length}`,
      );
    }
    yield { line, row: fields.map((field, i) => valueOf(field, numeric[i] ?? false)) };
  }
}

/** Numbers are read here, so that no node has to: SQLite's versions do not round all of them alike. */
function valueOf({ text, quoted }: Field, numeric: boolean): Param {
  if (!quoted && text === "") return null;
  return (quoted ? undefined : bytesOf(text)) ?? (numeric ? numberOf(text) : undefined) ?? text;
}

function numberOf(text: string): number | bigint | undefined {
  const number = numberIn(text);
  if (typeof number !== "bigint" || BigInt.asIntN(64, number) === number) return number;
  // A large REAL is written without a point. Other integers of that size are refused, as they would be rounded.
  const real = Number(number);
  return String(real) === text ? real : number;
}

/**
 * Rows in JSON, an object to a line. What is no value of SQLite is stored as JSON text, but `{"base64": …}` as bytes.
 *
 * @throws {DataError} If a line is no object; the message names it.
 */
export async function* jsonRows(pieces: AsyncIterable<string>): AsyncGenerator<FileRow> {
  let line = 0;
  for await (const text of linesOf(pieces)) {
    line++;
    if (text.trim() === "") continue;
    const value = parsed(text, line);
    const entries = Object.entries(value).map(([key, member]) => [key, paramOf(member)] as const);
    yield { line, row: Object.fromEntries(entries) };
  }
}

async function* linesOf(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  // Put together once: a file that is one long line would take quadratic time.
  let line: string[] = [];
  for await (const piece of pieces) {
    const [end = "", ...lines] = piece.split("\n");
    line.push(end);
    if (lines.length === 0) continue;
    yield line.join("");
    line = lines.splice(-1);
    yield* lines;
  }
  const rest = line.join("");
  if (rest !== "") yield rest;
}

function parsed(text: string, line: number): object {
  let value: unknown;
  try {
    value = parseExact(text);
  } catch (cause) {
    throw new DataError(`Cannot read line ${line} as it is not JSON: one object to a line`, {
      cause,
    });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new DataError(`Cannot read line ${line} as it is no JSON object: one object to a line`);
}

function paramOf(value: unknown): Param {
  if (typeof value !== "object" || value === null) return value as Param;
  const { base64, ...rest } = value as { base64?: unknown };
  if (typeof base64 !== "string" || Object.keys(rest).length > 0) return json(value);
  try {
    return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  } catch {
    return json(value);
  }
}
