import { analyse, type Analysis } from "./analyse.ts";
import type { Bindable } from "./bindable.ts";
import type { Edit } from "./edit.ts";
import { freeze } from "./freeze.ts";
import { sparing } from "./own_tables.ts";
import { type Prepared, prepareWith } from "./prepare.ts";
import type { Statement } from "./statement.ts";
import { volatileValuesOf } from "./volatile_values.ts";

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
 * import { prepare } from "./prepare_frozen.ts";
 * prepare(["SELECT :b, :a", { a: 1, b: new Uint8Array([255]) }], { now: new Date() });
 * // { sql: "SELECT x'ff', ?2", params: [null, 1], analysis }
 * ```
 */
export function prepare(statement: Statement, options: PrepareOptions): Prepared {
  return prepareWith(statement, {
    statementIndex: options.statementIndex,
    replaced: (analysis) => completed(analysis, options),
    edited: (analysis, values) => [...frozen(analysis, values, options), ...sparing(analysis)],
  });
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
  if (volatileValuesOf(analysis).length === 0) return [];
  const stored = analysis.kind === "write" || analysis.kind === "ddl";
  if (!stored && !(analysis.kind === "read" && options.freezeReads)) return [];
  return freeze(analysis, { ...options, valueOf: (index) => values[index - 1] });
}
