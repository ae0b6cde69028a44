import { goNumber, goString, UnsupportedValue } from "./go_json.ts";
import type { WireValue } from "./values.ts";

/** A statement that was run for its effect. */
export interface WriteOutcome {
  /** Tells it from the others. */
  readonly kind: "write";
  /** The rowid of the row inserted last; 0 if there is none. */
  readonly lastInsertId: bigint;
  /** How many rows were changed. */
  readonly rowsAffected: bigint;
  /** How long it took. */
  readonly seconds: number;
}

/** A statement that was run for its rows. */
export interface RowsOutcome {
  /** Tells it from the others. */
  readonly kind: "rows";
  /** The names of the columns. */
  readonly columns: readonly string[];
  /** Their types: as declared, or else what the first row holds. */
  readonly types: readonly string[];
  /** The rows. */
  readonly rows: readonly (readonly WireValue[])[];
  /** How long it took. */
  readonly seconds: number;
}

/** A statement that failed. */
export interface ErrorOutcome {
  /** Tells it from the others. */
  readonly kind: "error";
  /** What the client reads. */
  readonly message: string;
  /** Whether it failed on the way to rows, which shows in the associative form. */
  readonly asRows: boolean;
}

/** What became of one statement. */
export type Outcome = WriteOutcome | RowsOutcome | ErrorOutcome;

/** The whole request failed; the results of its statements are lost. */
export class RequestFailed extends Error {
  /** "RequestFailed". */
  override readonly name = "RequestFailed";
}

/** How results are written. */
export interface EncodeFlags {
  /** Whether rows are objects. */
  readonly associative: boolean;
  /** Whether a BLOB is a list of numbers, and not base64. */
  readonly blobArray: boolean;
  /** Whether it says how long each statement took. */
  readonly timings: boolean;
}

/** What stands around the results. */
export interface Envelope {
  /** What became of each statement. */
  readonly results: readonly Outcome[];
  /** Why the request failed as a whole. */
  readonly error?: string | undefined;
  /** How long all of it took. */
  readonly seconds: number;
  /** The number of a queued write. */
  readonly sequenceNumber?: bigint | undefined;
  /** Where it is in the log of a server. */
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
