import { NotSupportedError } from "../errors.ts";
import type { Prepared } from "../sql/prepare.ts";
import { significantTokens } from "../sql/tokenize.ts";
import { TokenView } from "../sql/view.ts";

/**
 * Refuses writes that ask for `last_insert_rowid()` or `changes()` of what came before them elsewhere: the connection is
 * shared by all clients, and what it says differs from node to node after a restart.
 *
 * @param statements One unit, in order.
 * @throws {NotSupportedError} If no statement in front of it, of the same unit, sets what it asks for.
 */
export function refuseStrayCounters(statements: readonly Prepared[]): void {
  let [inserted, changed] = [false, false];
  for (const { analysis } of statements) {
    const { kind, verb, text, source } = analysis;
    if (kind !== "write") continue;
    const asks = /last_insert_rowid|changes/i.test(text) ? counterIn(text) : undefined;
    if (asks === "changes" ? !changed : asks !== undefined && !inserted) {
      throw new NotSupportedError(
        `Cannot send ${asks}() in a write as each node would answer it by itself: ` +
          "put the INSERT that it is about in front of it, in the same batch or transaction, or bind the value",
        { sql: source },
      );
    }
    inserted ||= verb === "INSERT" || verb === "REPLACE";
    changed = true;
  }
}

/** The first counter of the connection that a statement calls to find out about another one: in front of RETURNING. */
export function counterIn(sql: string): "last_insert_rowid" | "changes" | undefined {
  const view = new TokenView(sql, significantTokens(sql).tokens);
  for (let i = 0; i < view.tokens.length && !view.isWord(i, "RETURNING"); i++) {
    const name = view.is(i + 1, "(") ? view.name(i).toLowerCase() : "";
    if (name === "last_insert_rowid" || name === "changes") return name;
  }
  return undefined;
}
