/**
 * What the connection knows of the statement before: one connection is shared by all clients of a node.
 *
 * @module
 */

import { NotSupportedError } from "../errors.ts";
import { type Analysis, tokensOf } from "./analyse.ts";

/** A function that tells of an earlier statement. */
export type Counter = "last_insert_rowid" | "changes";

/** The first counter of the connection that a statement calls to find out about another one: in front of RETURNING. */
export function counterIn(analysis: Analysis): Counter | undefined {
  if (!/last_insert_rowid|changes/i.test(analysis.text)) return undefined;
  const view = tokensOf(analysis);
  for (let i = 0; i < view.tokens.length && !view.isWord(i, "RETURNING"); i++) {
    // A table may have such a name, too.
    const called = view.is(i + 1, "(") && view.is(view.is(i + 2, "*") ? i + 3 : i + 2, ")");
    const name = called ? view.name(i).toLowerCase() : "";
    if (name === "last_insert_rowid" || name === "changes") return name;
  }
  return undefined;
}

/** The error of a statement that asks without the statement that it is about. */
export function strayCounter(asks: Counter, { source }: Analysis): NotSupportedError {
  return new NotSupportedError(
    `Cannot send ${asks}() as each node would answer it by itself: take ${
      asks === "changes" ? "`rowsAffected`" : "`lastInsertId`"
    } of the result, or put the write that it is about in front of it, in the same batch or transaction`,
    { sql: source },
  );
}
