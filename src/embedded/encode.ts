import { goNumber, goString, UnsupportedValue } from "./go_json.ts";
import type { Outcome, RowsOutcome, WriteOutcome } from "./outcome.ts";
import type { WireValue } from "./values.ts";

/** How results are written. */
export interface EncodeFlags {
  readonly associative: boolean;
  readonly blobArray: boolean;
  readonly timings: boolean;
}

/** What stands around the results. */
export interface Envelope {
  readonly results: readonly Outcome[];
  readonly error?: string | undefined;
  readonly seconds: number;
  readonly sequenceNumber?: bigint | undefined;
  readonly raftIndex?: number | undefined;
}

/** The body of an answer. @throws {UnsupportedValue} when a value has no JSON form */
export function encodeEnvelope(envelope: Envelope, flags: EncodeFlags): string {
  const { results, error, seconds, sequenceNumber, raftIndex } = envelope;
  return object([
    ["results", encodeResults(results, flags)],
    ["error", error === undefined ? "" : goString(error)],
    ["time", flags.timings ? goNumber(seconds) : ""],
    ["sequence_number", sequenceNumber === undefined ? "" : String(sequenceNumber)],
    ["raft_index", raftIndex === undefined ? "" : String(raftIndex)],
  ]);
}

function encodeResults(results: readonly Outcome[], flags: EncodeFlags): string {
  try {
    return array(results.map((outcome) => encodeOutcome(outcome, flags)));
  } catch (error) {
    if (!(error instanceof UnsupportedValue)) throw error;
    const text = `json: error calling MarshalJSON for type *http.DBResults: ${error.message}`;
    throw new UnsupportedValue(text, { cause: error });
  }
}

function encodeOutcome(outcome: Outcome, flags: EncodeFlags): string {
  if (outcome.kind === "error") {
    const error: Member = ["error", goString(outcome.message)];
    return object(outcome.asRows && flags.associative ? [["rows", "[]"], error] : [error]);
  }
  if (outcome.kind === "write") return encodeWrite(outcome, flags);
  return flags.associative ? encodeAssociative(outcome, flags) : encodeRows(outcome, flags);
}

function encodeWrite(outcome: WriteOutcome, flags: EncodeFlags): string {
  const { lastInsertId, rowsAffected } = outcome;
  return object([
    ["last_insert_id", lastInsertId === 0n ? "" : String(lastInsertId)],
    ["rows_affected", rowsAffected === 0n ? "" : String(rowsAffected)],
    ...time(outcome, flags),
    ["rows", flags.associative ? "null" : ""],
  ]);
}

function encodeRows(outcome: RowsOutcome, flags: EncodeFlags): string {
  const rows = outcome.rows.map((row) => array(row.map((value) => encodeValue(value, flags))));
  return object([
    ["columns", unlessEmpty(outcome.columns.map(goString))],
    ["types", unlessEmpty(outcome.types.map(goString))],
    ["values", unlessEmpty(rows)],
    ...time(outcome, flags),
  ]);
}

function encodeAssociative(outcome: RowsOutcome, flags: EncodeFlags): string {
  const { columns, types } = outcome;
  const order = sortedNames(columns);
  const pick = (values: readonly string[]) =>
    `{${order.map(({ name, at }) => `${goString(name)}:${values[at]}`).join()}}`;
  const rows = outcome.rows.map((row) => pick(row.map((value) => encodeValue(value, flags))));
  return object([
    ["types", columns.length === 0 ? "" : pick(types.map(goString))],
    ["rows", array(rows)],
    ...time(outcome, flags),
  ]);
}

/** Each name once, with the last column that has it, in the order of its bytes. */
function sortedNames(columns: readonly string[]): { name: string; at: number }[] {
  return [...new Map(columns.map((name, at) => [name, at]))]
    .map(([name, at]) => ({ name, at }))
    .sort((a, b) => compareBytes(a.name, b.name));
}

function compareBytes(a: string, b: string): number {
  const [one, two] = [Array.from(a), Array.from(b)];
  for (let i = 0; i < Math.min(one.length, two.length); i++) {
    const difference = (one[i]?.codePointAt(0) ?? 0) - (two[i]?.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return one.length - two.length;
}

function encodeValue(value: WireValue, { blobArray }: EncodeFlags): string {
  if (value instanceof Uint8Array) return blobArray ? `[${value.join()}]` : `"${toBase64(value)}"`;
  if (typeof value === "string") return goString(value);
  return typeof value === "number" ? goNumber(value) : String(value);
}

function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (let i = 0; i < bytes.length; i += 0x8000) {
    binary += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  }
  return btoa(binary);
}

type Member = readonly [name: string, json: string];

function time({ seconds }: { seconds: number }, { timings }: EncodeFlags): Member[] {
  return timings ? [["time", goNumber(seconds)]] : [];
}

function array(values: readonly string[]): string {
  return `[${values.join()}]`;
}

function unlessEmpty(values: readonly string[]): string {
  return values.length === 0 ? "" : array(values);
}

/** An object without the members that have no value. */
function object(members: readonly Member[]): string {
  return `{${
    members.filter(([, json]) => json !== "").map(([name, json]) => `"${name}":${json}`).join()
  }}`;
}
