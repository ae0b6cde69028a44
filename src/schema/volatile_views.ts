import { NotSupportedError } from "../errors.ts";
import type { Analysis } from "../sql/analyse.ts";
import type { TokenView } from "../sql/view.ts";
import type { Facts } from "./facts.ts";
import { viewOf } from "./node_state.ts";

/**
 * Refuses a write that reads a view in which each node would evaluate a clock, chance or the state of its connection for
 * itself.
 *
 * @throws {NotSupportedError} If it does.
 */
export function refuseVolatileViews({ kind, text, source }: Analysis, facts: Facts): void {
  const view = kind === "write" ? viewOf(text) : undefined;
  const name = view?.tokens.map((_, i) => view.name(i)).find((name, i) =>
    facts.table(name)?.volatile && isRead(view, i)
  );
  if (name === undefined) return;
  throw new NotSupportedError(
    `Cannot read the view ${
      JSON.stringify(name)
    } in a write as each node would evaluate it to something else: ` +
      "read it first and bind what was read, or write its SELECT in its place",
    { sql: source },
  );
}

/** Behind FROM, JOIN or IN, and not the target of DELETE. */
function isRead(view: TokenView, i: number): boolean {
  const at = view.is(i - 1, ".") ? i - 3 : i - 1;
  return view.isOneOf(at, ["FROM", "JOIN", "IN"]) && !view.isWord(at - 1, "DELETE") &&
    !view.is(i + 1, ".");
}
