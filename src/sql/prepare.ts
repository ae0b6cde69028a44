import { analyse, type Analysis } from "./analyse.ts";
import { type Bindable, looksLikeBlob } from "./bindable.ts";
import { applyEdits, type Edit, untouched } from "./edit.ts";
import { literal } from "./quoting.ts";
import { refuse } from "./refuse.ts";
import { resolveParams } from "./bind_params.ts";
import { isBound, sqlAndParams, type Statement } from "./statement.ts";

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

/** How a statement is made ready. */
export interface PrepareHooks {
  /** Its position in the batch, for errors. */
  readonly statementIndex?: number | undefined;
  /** Takes its place. */
  readonly replaced?: (analysis: Analysis) => Analysis;
  /** What is written into it. */
  readonly edited?: (analysis: Analysis, values: readonly Bindable[]) => readonly Edit[];
}

/**
 * Makes a statement ready to send: values checked and brought into order, bytes and text that a server would take for
 * bytes written into the SQL.
 *
 * @throws {ProgrammingError} If it must not be sent, or the values do not match the placeholders.
 * @throws {TypeError|RangeError} If a value cannot be bound.
 */
export function prepareWith(
  statement: Statement,
  { statementIndex, replaced, edited }: PrepareHooks,
): Prepared {
  const form = sqlAndParams(statement);
  const analysed = analyse(form.sql);
  const analysis = replaced?.(analysed) ?? analysed;
  const refusal = refuse(analysis, statementIndex);
  if (refusal !== undefined) throw refusal;
  const values = isBound(statement)
    ? statement.params
    : resolveParams(analysis, form.params, statementIndex);
  const edits = [...edited?.(analysis, values) ?? []];
  const params = inlined(analysis, values, edits);
  if (edits.length === 0) return { analysis, sql: analysis.text, params };
  return { analysis, sql: applyEdits(analysis.text, edits, analysis.placeholders), params };
}

/** The same of a read outside of transactions: what a node evaluates for itself is left as it is. */
export function prepareRead(statement: Statement): Prepared {
  return prepareWith(statement, {});
}

/** The parameters to send; an edit is added for each placeholder whose value cannot be one. */
function inlined(
  analysis: Analysis,
  values: readonly Bindable[],
  edits: Edit[],
): readonly WireParam[] {
  if (edits.length === 0 && values.every(isWireParam)) return values;
  const kept = remaining(analysis, values, edits);
  // A node counts the placeholders that are left, so what comes behind the last of them is not
  // sent.
  return values.slice(0, highest(kept)).map((value, i) =>
    kept.has(i + 1) && isWireParam(value) ? value : null
  );
}

/** The numbers of the placeholders that stay in the text. */
function remaining(
  analysis: Analysis,
  values: readonly Bindable[],
  edits: Edit[],
): ReadonlySet<number> {
  const kept = new Set<number>();
  for (const { start, end, index } of untouched(analysis.placeholders, edits)) {
    const value = values[index - 1] ?? null;
    if (isWireParam(value)) kept.add(index);
    else edits.push({ start, end, text: literal(value) });
  }
  return kept;
}

function highest(numbers: ReadonlySet<number>): number {
  let result = 0;
  for (const number of numbers) result = Math.max(result, number);
  return result;
}

/** Whether a value can be a parameter, and need not be written into the text. */
function isWireParam(value: Bindable): value is WireParam {
  return typeof value === "string" ? !looksLikeBlob(value) : !(value instanceof Uint8Array);
}
