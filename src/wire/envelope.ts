import type { Cell } from "./cell.ts";
import { MalformedAnswerError } from "./malformed_answer.ts";

/** The JSON of one statement's result; absent members are zero, empty or not meant. */
export interface StatementAnswer {
  readonly error?: string;
  readonly columns?: readonly string[];
  readonly types?: readonly string[];
  readonly values?: Cell[][];
  readonly rows_affected?: number;
  readonly last_insert_id?: number | bigint;
}

/** The JSON of an answer to a list of statements. */
export interface Envelope {
  readonly results: readonly StatementAnswer[];
  readonly error?: string;
  readonly sequence_number?: number | bigint;
}

/** Checks the shape of everything but the cells. */
export function checkEnvelope(json: unknown): Envelope {
  if (!isRecord(json)) throw malformed("the answer is not an object");
  const { error, results = [], sequence_number } = json;
  if (error === undefined && json.results === undefined) throw malformed("`results` is missing");
  if (!isOptional(error, "string")) throw malformed("`error` is not text");
  if (!isOptional(sequence_number, "number")) throw malformed("`sequence_number` is not a number");
  if (!Array.isArray(results)) throw malformed("`results` is not a list");
  for (const result of results) checkResult(result);
  return json.results === undefined ? { ...json, results: [] } : json as unknown as Envelope;
}

function checkResult(result: unknown): void {
  if (!isRecord(result)) throw malformed("a result is not an object");
  const { error, columns, types, values, rows_affected, last_insert_id } = result;
  if (!isOptional(error, "string")) throw malformed("a result's `error` is not text");
  if (!isOptional(rows_affected, "number") || !isOptional(last_insert_id, "number")) {
    throw malformed("a count is not a number");
  }
  if (columns === undefined) {
    if (values !== undefined) throw malformed("`columns` are missing");
    return;
  }
  if (!isTexts(columns)) throw malformed("`columns` are not a list of names");
  if (types !== undefined && !(isTexts(types) && types.length === columns.length)) {
    throw malformed("`types` do not match the columns");
  }
  if (values !== undefined) checkRows(values, columns.length);
}

function checkRows(rows: unknown, width: number): void {
  if (!Array.isArray(rows)) throw malformed("`values` are not a list");
  for (const row of rows) {
    if (!Array.isArray(row) || row.length !== width) {
      throw malformed("a row does not match the columns");
    }
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isOptional(value: unknown, type: "string" | "number"): boolean {
  return value === undefined || typeof value === type;
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function malformed(reason: string): MalformedAnswerError {
  return new MalformedAnswerError(`Cannot read the answer as ${reason}`);
}
