import { NotSupportedError } from "../errors.ts";
import type { Facts } from "../schema/facts.ts";
import { insertParts } from "../schema/insert_parts.ts";
import { classify } from "../sql/classify.ts";
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
}

/**
 * Refuses writes that ask for `last_insert_rowid()` or `changes()` of what came before them elsewhere: the connection is
 * shared by all clients, and what it says differs from node to node after a restart.
 *
 * @param statements One unit, in order.
 * @throws {NotSupportedError} If no statement in front of it, of the same unit, sets what it asks for.
 */
export function refuseStrayCounters(
  statements: readonly Prepared[],
  { facts = [], entered }: CounterContext,
): void {
  let [inserted, changed] = [false, false];
  for (const [i, prepared] of statements.entries()) {
    const { kind, text, source } = prepared.analysis;
    if (kind !== "write") continue;
    const asks = /last_insert_rowid|changes/i.test(text) ? counterIn(text) : undefined;
    if (asks === "changes" ? !changed : asks !== undefined && !inserted) {
      throw new NotSupportedError(
        `Cannot send ${asks}() in a write as each node would answer it by itself: ` +
          "put the INSERT that it is about in front of it, in the same batch or transaction, or bind the value",
        { sql: source },
      );
    }
    inserted ||= setsRowid(prepared, facts[i], entered);
    changed = true;
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

/** The first counter of the connection that a statement calls to find out about another one: in front of RETURNING. */
export function counterIn(sql: string): "last_insert_rowid" | "changes" | undefined {
  const view = new TokenView(sql, significantTokens(sql).tokens);
  for (let i = 0; i < view.tokens.length && !view.isWord(i, "RETURNING"); i++) {
    // A table may have such a name, too.
    const called = view.is(i + 1, "(") && view.is(view.is(i + 2, "*") ? i + 3 : i + 2, ")");
    const name = called ? view.name(i).toLowerCase() : "";
    if (name === "last_insert_rowid" || name === "changes") return name;
  }
  return undefined;
}
