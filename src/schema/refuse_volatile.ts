import { NotSupportedError } from "../errors.ts";
import { type Analysis, tokensOf } from "../sql/analyse.ts";
import { type Clause, clauseInside, clauseOf } from "../sql/clause.ts";
import type { TokenView } from "../sql/token_view.ts";
import type { Facts, TableFacts } from "./facts.ts";

/**
 * Refuses a write that reads a view in which each node would evaluate a clock, chance or the state of its connection for
 * itself.
 *
 * @throws {NotSupportedError} If it does.
 */
export function refuseVolatileViews(analysis: Analysis, facts: Facts): void {
  const name = sourcesIn(analysis).find((source) => facts.table(source)?.volatile === true);
  if (name === undefined) return;
  throw new NotSupportedError(
    `Cannot read the view ${
      JSON.stringify(name)
    } in a write as each node would evaluate it to something else: ` +
      "read it first and bind what was read, or write its SELECT in its place",
    { sql: analysis.source },
  );
}

/** Whether rows of something else than its target may decide what it does: a view may be among them. */
export function readsOthers(analysis: Analysis): boolean {
  return sourcesIn(analysis).length > 0;
}

/** What writes read, by what is known of them: most programs send the same ones again and again. */
const known: WeakMap<Analysis, readonly string[]> = new WeakMap();

function sourcesIn(analysis: Analysis): readonly string[] {
  let sources = known.get(analysis);
  if (sources === undefined) {
    const { stores, text } = analysis;
    // Most writes hold none of the words.
    const may = stores && /\b(from|join|in)\b/i.test(text);
    known.set(analysis, sources = may ? sourcesOf(tokensOf(analysis)) : []);
  }
  return sources;
}

/** What a write reads rows of by name, but for its target. */
function sourcesOf(view: TokenView): string[] {
  const outer: Clause[] = [];
  let clause: Clause = "expression";
  return view.tokens.flatMap((token, i) => {
    if (view.is(i, "(")) {
      outer.push(clause);
      clause = clauseInside(view, i, clause);
    } else if (view.is(i, ")")) clause = outer.pop() ?? clause;
    // Behind the condition of a join a comma may join more.
    else if (token.kind === "word" && !view.isWord(i, "ON")) clause = clauseOf(view, i) ?? clause;
    return isSource(view, i, clause) ? [view.name(i)] : [];
  });
}

function isSource(view: TokenView, i: number, clause: Clause): boolean {
  if (view.tokens[i]?.kind === "punct" || view.is(i + 1, ".")) return false;
  const at = view.is(i - 1, ".") ? i - 3 : i - 1;
  if (clause === "from" && (view.is(at, ",") || view.is(at, "("))) return true;
  return view.isOneOf(at, ["FROM", "JOIN", "IN"]) && !view.isWord(at - 1, "DELETE") &&
    !view.isWord(at - 1, "DISTINCT");
}

/**
 * Refuses a write to a table whose CHECK holds a clock, chance or the state of the connection: a node may refuse the row
 * that another takes, and one that restarts evaluates it anew for what it reads from its log.
 *
 * @throws {NotSupportedError} If it has one.
 */
export function refuseVolatileCheck({ name, volatileCheck }: TableFacts, sql: string): void {
  if (!volatileCheck) return;
  throw new NotSupportedError(
    `Cannot write to ${
      JSON.stringify(name)
    } as each node would evaluate a CHECK of it for itself, ` +
      "and may miss the row, at the latest when it restarts: make the table anew with a CHECK of what the row " +
      "holds alone, and compare with the clock in the program",
    { sql },
  );
}
