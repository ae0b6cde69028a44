import { analyse, type Analysis } from "./analyse.ts";
import { applyEdits, type Edit } from "./edit.ts";
import { statementForm } from "./form.ts";
import { freeze } from "./freeze.ts";
import { literal } from "./literal.ts";
import { refuse } from "./refuse.ts";
import { resolveParams } from "./resolve.ts";
import type { Statement } from "./statement.ts";
import { type Bindable, looksLikeBlob } from "./value_check.ts";

/** A parameter as it goes over the wire. */
export type WireParam = null | number | bigint | string | boolean;

/** A statement that can be sent as it is. */
export interface Prepared {
  /** What is known of the statement. */
  readonly analysis: Analysis;
  /** The text to send; `analysis.text` itself if nothing had to be written into it. */
  readonly sql: string;
  /** The values by SQLite's numbers, from 1 at index 0; null for what was written into the text. */
  readonly params: readonly WireParam[];
}

/** What a statement is prepared with. */
export interface PrepareOptions {
  /** The present time, for writes. */
  readonly now: Date;
  /** Its position in the batch, for errors. */
  readonly statementIndex?: number;
  /** Also replaces the present time in reads, so that they can be repeated. @default {false} */
  readonly freezeReads?: boolean;
  /** Fills an array with random bytes. @default {crypto.getRandomValues} */
  readonly random?: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>;
  /** Whether an UPDATE or DELETE is known to change one row at most. @default {() => false} */
  readonly oneRow?: (sql: string) => boolean;
  /** Writes out what the text of an INSERT leaves to the schema; with the same placeholders. */
  readonly complete?: (sql: string) => string;
}

/**
 * Makes a statement ready to send: values checked and brought into order, bytes and text that a
 * server would take for bytes written into the SQL, and in writes the present time and random
 * numbers replaced by literals. It does not look at what the statement does: see {@linkcode
 * refuse}, which comes first.
 *
 * @throws {ProgrammingError} If the values do not match the placeholders.
 * @throws {NotSupportedError} If a write holds a random number or time that cannot be replaced.
 * @throws {TypeError|RangeError} If a value cannot be bound.
 *
 * @example
 * ```ts
 * import { prepare } from "./prepare.ts";
 * prepare(["SELECT :b, :a", { a: 1, b: new Uint8Array([255]) }], { now: new Date() });
 * // { sql: "SELECT x'ff', ?2", params: [null, 1], analysis }
 * ```
 */
export function prepare(statement: Statement, options: PrepareOptions): Prepared {
  const form = statementForm(statement);
  const analysis = completed(analyse(form.sql), options);
  const refusal = refuse(analysis, options.statementIndex);
  if (refusal !== undefined) throw refusal;
  const values = resolveParams(analysis, form.params, options.statementIndex);
  const edits = [...frozen(analysis, values, options)];
  const params = inlined(analysis, values, edits);
  if (edits.length === 0) return { analysis, sql: analysis.text, params };
  return { analysis, sql: applyEdits(analysis.text, edits, analysis.placeholders), params };
}

/** The same statement with nothing left to the schema; errors go on showing what the caller wrote. */
function completed(analysis: Analysis, { complete }: PrepareOptions): Analysis {
  const { kind, verb, text, source } = analysis;
  if (complete === undefined || kind !== "write" || verb === "DELETE") return analysis;
  const whole = complete(text);
  return whole === text ? analysis : { ...analyse(whole), source };
}

function frozen(
  analysis: Analysis,
  values: readonly Bindable[],
  options: PrepareOptions,
): readonly Edit[] {
  if (analysis.volatile.length === 0) return [];
  const stored = analysis.kind === "write" || analysis.kind === "ddl";
  if (!stored && !(analysis.kind === "read" && options.freezeReads)) return [];
  return freeze(analysis, { ...options, valueOf: (index) => values[index - 1] });
}

/** The parameters to send; an edit is added for each placeholder whose value cannot be one. */
function inlined(analysis: Analysis, values: readonly Bindable[], edits: Edit[]): WireParam[] {
  const params = values.map(wireParam);
  if (edits.length === 0 && !values.some(isAwkward)) return params;
  const kept = remaining(analysis, values, edits);
  // A node counts the placeholders that are left, so what comes behind the last of them is not
  // sent.
  return params.slice(0, highest(kept)).map((value, i) => kept.has(i + 1) ? value : null);
}

/** The numbers of the placeholders that stay in the text. */
function remaining(
  analysis: Analysis,
  values: readonly Bindable[],
  edits: Edit[],
): ReadonlySet<number> {
  const kept = new Set<number>();
  const frozen = [...edits];
  let next = 0;
  for (const { start, end, index } of analysis.placeholders) {
    while (next < frozen.length && frozen[next]!.end <= start) next++;
    if (next < frozen.length && frozen[next]!.start <= start) continue;
    const value = values[index - 1]!;
    if (isAwkward(value)) edits.push({ start, end, text: literal(value) });
    else kept.add(index);
  }
  return kept;
}

function highest(numbers: ReadonlySet<number>): number {
  let result = 0;
  for (const number of numbers) result = Math.max(result, number);
  return result;
}

function wireParam(value: Bindable): WireParam {
  return value instanceof Uint8Array ? null : value;
}

function isAwkward(value: Bindable): value is string | Uint8Array {
  return typeof value === "string" ? looksLikeBlob(value) : value instanceof Uint8Array;
}
