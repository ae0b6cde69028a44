import type { CallContext } from "../calls/call_context.ts";
import type { Batch, Reply } from "../calls/request.ts";
import type { Level } from "../calls/executor.ts";
import type { Settings } from "../calls/settings.ts";
import { prepare } from "../sql/prepare_frozen.ts";
import type { Prepared } from "../sql/prepare.ts";
import type { Param } from "../sql/value.ts";

/** A statement of our own. */
export function own(sql: string, ...params: Param[]): Prepared {
  // Nothing in our own statements is volatile, so the time does not matter.
  return prepare([sql, ...params], { now: new Date(0) });
}

/** Settings under which the answers to our own statements are read. */
export function ownSettings(settings: Settings): Settings {
  return {
    ...settings,
    rows: "array",
    integers: "number",
    level: "weak",
    freshness: undefined,
    freshnessStrict: false,
    session: undefined,
  };
}

/**
 * Statements of our own as one request of a call.
 *
 * @param transaction They are applied together, or seen in one state.
 * @param level Of a read.
 */
export function ownBatch(
  statements: readonly Prepared[],
  { settings, deadline }: CallContext,
  transaction: boolean,
  level: Level = "weak",
): Batch {
  return { statements, transaction, settings: { ...ownSettings(settings), level }, deadline };
}

/** The rows that one of our own statements answered, as lists of cells; `undefined` where it failed. */
export function rowsAt(
  { answer, first }: Reply,
  i: number,
  { analysis }: Prepared,
): readonly (readonly unknown[])[] | undefined {
  if (answer.errorAt(first + i) !== undefined) return undefined;
  const { rows } = answer.result(first + i, { analysis, rows: "array", integers: "number" });
  return rows as unknown as readonly (readonly unknown[])[];
}
