import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

/** A recording of a server: the scenarios of `tests/fixtures/*.json`. */
export interface Transcript {
  readonly server: { readonly major: number; readonly sqlite: string };
  /** The headers that most answers share. */
  readonly headers: Readonly<Record<string, string>>;
  readonly scenarios: readonly Scenario[];
}

/** Requests in order, on a server that was fresh. */
export interface Scenario {
  readonly name: string;
  readonly server?: { readonly args?: readonly string[]; readonly auth?: readonly unknown[] };
  readonly steps: readonly Step[];
}

/** A body as it is written down. */
export type GoldenBody =
  | string
  | readonly unknown[]
  | { readonly base64: string }
  | { readonly answerOf: number };

/** A request and the answer to it. */
export interface Step {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | null>>;
  readonly body?: GoldenBody;
  /** How much of the body was recorded; everything when absent. */
  readonly record?: "status" | "shape" | "file";
  readonly hexDigits?: number;
  readonly mask?: readonly (readonly [pattern: string, replacement: string])[];
  readonly response: RecordedResponse;
}

/** What is known of a body: its text, or a part of it. */
export type RecordedBody =
  | string
  | { readonly shape: unknown }
  | { readonly start: string }
  | {
    readonly length: number;
    readonly sha256: string;
    readonly start: string;
    readonly end: string;
  };

/** An answer; `headers` has only what differs from the transcript, `null` for an absent one. */
export interface RecordedResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | null>>;
  readonly body?: RecordedBody;
}

/** Reads a recording, such as "v10". */
export function readTranscript(name: "v10" | "v8.26"): Transcript {
  const file = new URL(`../fixtures/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, "utf8")) as Transcript;
}

/** Expands `{{text*count}}`: long values stay short in the files. */
export function expand(text: string): string {
  return text.replace(
    /\{\{([^{}]+?)\*(\d+)\}\}/g,
    (_, part: string, count: string) => part.repeat(Number(count)),
  );
}

/** What to send for a step; `answers` are the bodies of the steps before it. */
export function encodeBody(
  body: GoldenBody | undefined,
  answers: readonly Uint8Array[],
): Uint8Array<ArrayBuffer> | undefined {
  if (body === undefined) return undefined;
  if (typeof body === "string") return toBytes(expand(body));
  if (isList(body)) return toBytes(expand(JSON.stringify(body)));
  if ("answerOf" in body) return Uint8Array.from(answers[body.answerOf] ?? []);
  return Uint8Array.from(atob(expand(body.base64)), (character) => character.charCodeAt(0));
}

function isList(body: GoldenBody): body is readonly unknown[] {
  return Array.isArray(body);
}

function toBytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

const RULES: readonly (readonly [RegExp, string])[] = [
  [/("time":\s*)[\d.e+-]+/g, "$10.001"],
  [/("time_s":\s*)"[^"]*"/g, '$1"1ms"'],
  [/("raft_index":\s*)\d+/g, "$15"],
  [/("sequence_number":\s*)\d+/g, "$11795354305950081028"],
  [/("version":\s*")v?(\d+)[^"]*"/g, '$1$2"'],
];

/** Replaces what differs from run to run: addresses, times, indexes, and what the step masks. */
export function normalise(
  text: string,
  { names = {}, mask = [] }: { names?: Record<string, string>; mask?: Step["mask"] } = {},
): string {
  let result = text;
  for (const [name, recorded] of Object.entries(names)) result = result.replaceAll(name, recorded);
  for (const [pattern, replacement] of RULES) result = result.replace(pattern, replacement);
  for (const [pattern, replacement] of mask ?? []) {
    result = result.replace(new RegExp(pattern, "g"), replacement);
  }
  return result;
}

/** The headers of a recorded answer. */
export function headersOf(
  transcript: Transcript,
  response: RecordedResponse,
): Record<string, string> {
  const all = { ...transcript.headers, ...response.headers };
  const present = Object.entries(all).filter((entry): entry is [string, string] =>
    entry[1] !== null
  );
  return Object.fromEntries(present);
}

/** The structure of JSON: a scalar becomes the name of its type, an array its first element. */
export function shape(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shape);
  if (value === null || typeof value !== "object") return value === null ? null : typeof value;
  const members = Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1);
  return Object.fromEntries(members.map(([key, member]) => [key, shape(member)]));
}

/** Longer bodies are recorded by their hash. */
const LONGEST_BODY = 3000;

/** A body in the form in which the recorder would have written it down. */
export function recordBody(
  step: Step,
  status: number,
  bytes: Uint8Array,
  names: Record<string, string> = {},
): RecordedBody | undefined {
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  const record = status === 200 ? step.record : undefined;
  if (record === "status") return undefined;
  if (record === "shape") return { shape: shape(JSON.parse(text)) };
  if (record === "file") return { start: toHex(bytes.subarray(0, 20)).slice(0, step.hexDigits) };
  const body = normalise(text, { names, mask: step.mask });
  if (body.length <= LONGEST_BODY) return body || undefined;
  const sha256 = createHash("sha256").update(body).digest("hex");
  return { length: body.length, sha256, start: body.slice(0, 80), end: body.slice(-80) };
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
