import type { Facts } from "../schema/facts.ts";
import { insertParts } from "../schema/statement_parts.ts";
import { type Counter, counterIn, strayCounter, tokensOf } from "../sql/analyse.ts";
import { classify } from "../sql/classify.ts";
import type { Prepared } from "../sql/prepare.ts";
import { tableOf } from "./written_tables.ts";

/** What is known where counters are looked at. */
export interface CounterContext {
  /** About the tables of the statement at an index; what is not known is taken for ordinary. */
  readonly factsOf: (i: number) => Facts | undefined;
  /** An id is entered in front of the statements: what they leave as it was is the same on all nodes. */
  readonly entered: boolean;
  /** Each statement stands for itself, as others may come between; only reads are told of those in front. @default {false} */
  readonly apart?: boolean;
}

/**
 * Refuses statements that ask for `last_insert_rowid()` or `changes()` of what came before them elsewhere: the connection is
 * shared by all clients, and what it says differs from node to node after a restart.
 *
 * @param statements One unit, in order.
 * @param from The index of the first that is looked at.
 * @throws {NotSupportedError} If no statement in front of it, of the same unit, sets what it asks for; where a read asks,
 * an INSERT that may have set none will do, as in SQLite.
 */
export function refuseStrayCounters(
  statements: readonly Prepared[],
  context: CounterContext,
  from = 0,
): void {
  for (const [i, { analysis }] of statements.entries()) {
    if (i < from) continue;
    const reads = analysis.kind === "read";
    const asks = analysis.stores || reads ? counterIn(analysis) : undefined;
    if (asks === undefined || isSet(asks, statements.slice(0, i), reads, context)) continue;
    throw strayCounter(asks, analysis);
  }
}

/** Whether what one statement asks for is set by those in front of it. */
function isSet(
  asks: Counter,
  before: readonly Prepared[],
  reads: boolean,
  { factsOf, entered, apart = false }: CounterContext,
): boolean {
  if (apart && !reads) return false;
  return before.some((one, i) =>
    one.analysis.kind === "write" &&
    (asks === "changes" || (reads ? inserts(one) : setsRowid(one, factsOf(i), entered)))
  );
}

function inserts({ analysis: { verb } }: Prepared): boolean {
  return verb === "INSERT" || verb === "REPLACE";
}

/** Whether a statement inserts a row for sure, into something that has rowids. */
function setsRowid(prepared: Prepared, facts: Facts | undefined, entered: boolean): boolean {
  const { analysis } = prepared;
  if (!inserts(prepared)) return false;
  const known = facts === undefined ? undefined : tableOf(analysis.table, facts);
  if (known?.withoutRowid || known?.kind === "view") return false;
  const view = tokensOf(analysis);
  const parts = insertParts(view, classify(view).at);
  if (parts === undefined || parts.or === "IGNORE") return false;
  if (view.tokens.some((_, i) => view.isWord(i, "ON") && view.isWord(i + 1, "CONFLICT"))) {
    return false;
  }
  return entered || view.isOneOf(parts.sourceAt, ["VALUES", "DEFAULT"]);
}
