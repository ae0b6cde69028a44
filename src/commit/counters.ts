import type { Facts } from "../schema/facts.ts";
import { insertParts } from "../schema/insert_parts.ts";
import { classify } from "../sql/classify.ts";
import { counterIn, strayCounter } from "../sql/counter.ts";
import type { Prepared } from "../sql/prepare.ts";
import { significantTokens } from "../sql/tokenize.ts";
import { TokenView } from "../sql/view.ts";
import { tableOf } from "./written.ts";

/** What is known where counters are looked at. */
export interface CounterContext {
  /** About the tables of each statement; what is not known is taken for ordinary. */
  readonly facts?: readonly (Facts | undefined)[];
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
 * @throws {NotSupportedError} If no statement in front of it, of the same unit, sets what it asks for; where a read asks,
 * an INSERT that may have set none will do, as in SQLite.
 */
export function refuseStrayCounters(
  statements: readonly Prepared[],
  { facts = [], entered, apart = false }: CounterContext,
): void {
  let [inserted, mayHave, changed] = [false, false, false];
  for (const [i, prepared] of statements.entries()) {
    const { kind, verb, stores, text } = prepared.analysis;
    if (!stores && kind !== "read") continue;
    const asks = counterIn(text);
    const rowid = kind === "read" ? mayHave : inserted;
    const set = (kind === "read" || !apart) && (asks === "changes" ? changed : rowid);
    if (asks !== undefined && !set) throw strayCounter(asks, prepared.analysis);
    if (kind !== "write") continue;
    changed = true;
    mayHave ||= verb === "INSERT" || verb === "REPLACE";
    inserted ||= setsRowid(prepared, facts[i], entered);
  }
}

/** Whether a statement inserts a row for sure, into something that has rowids. */
function setsRowid({ analysis }: Prepared, facts: Facts | undefined, entered: boolean): boolean {
  const { verb, text, table } = analysis;
  if (verb !== "INSERT" && verb !== "REPLACE") return false;
  const known = facts === undefined ? undefined : tableOf(table, facts);
  if (known?.withoutRowid || known?.kind === "view") return false;
  const view = new TokenView(text, significantTokens(text).tokens);
  const parts = insertParts(view, classify(text, view.tokens).at);
  if (parts === undefined || parts.or === "IGNORE") return false;
  if (view.tokens.some((_, i) => view.isWord(i, "ON") && view.isWord(i + 1, "CONFLICT"))) {
    return false;
  }
  return entered || view.isOneOf(parts.sourceAt, ["VALUES", "DEFAULT"]);
}
