import { introducesExpression } from "./keywords.ts";
import type { TokenView } from "./token_view.ts";

// Telling values from names by the clause they stand in. A function such as `date` or a keyword
// such as CURRENT_DATE may also be the name of a table, a column, an alias or a type.

/** What the tokens at one depth of parentheses are part of. */
export type Clause = "expression" | "by" | "from" | "set" | "into" | "with" | "names";

const clauses: ReadonlyMap<string, Clause> = new Map<string, Clause>([
  ["BY", "by"],
  ["FROM", "from"],
  ["HAVING", "expression"],
  ["INTO", "into"],
  ["JOIN", "from"],
  ["LIMIT", "expression"],
  ["ON", "expression"],
  ["RETURNING", "expression"],
  ["SELECT", "expression"],
  ["SET", "set"],
  ["UPDATE", "from"],
  ["VALUES", "expression"],
  ["WHERE", "expression"],
  ["WITH", "with"],
]);

/** The clause that the word at `i` begins, if it begins one. */
export function clauseOf(view: TokenView, i: number): Clause | undefined {
  const word = view.text(i).toUpperCase();
  const clause = clauses.get(word);
  if (clause === undefined || view.is(i - 1, ".")) return undefined;
  // IS DISTINCT FROM and INDEXED BY begin none.
  if (word === "FROM" && view.isWord(i - 1, "DISTINCT")) return undefined;
  if (word === "BY" && view.isWord(i - 1, "INDEXED")) return undefined;
  return clause;
}

/**
 * The clause inside the parenthesis at `i`.
 *
 * @param outer The clause that it stands in.
 */
export function clauseInside(view: TokenView, i: number, outer: Clause): Clause {
  if (view.isWord(i - 1, "USING") || outer === "into") return "names";
  switch (outer) {
    case "with":
      return view.isOneOf(i - 1, ["AS", "MATERIALIZED"]) ? "expression" : "names";
    case "set":
      return view.isWord(i - 1, "SET") || view.is(i - 1, ",") ? "names" : "expression";
    case "from": {
      const joins = view.tokens[i - 1]?.kind === "punct" || view.isOneOf(i - 1, ["FROM", "JOIN"]);
      return joins ? "from" : "expression";
    }
    case "by":
      return "by";
  }
  return "expression";
}

/**
 * Whether the name at `i`, with a parenthesis behind it, is called.
 *
 * @param clause The clause that it stands in.
 */
export function isCall(view: TokenView, i: number, clause: Clause): boolean {
  const kind = view.tokens[i]?.kind;
  if ((kind !== "word" && kind !== "quoted") || clause === "with") return false;
  return !view.isOneOf(i - 1, ["INTO", "AS"]) && !view.is(i - 1, ".");
}

/**
 * Whether CURRENT_DATE and its like at `i` stand for the time.
 *
 * @param clause The clause that they stand in.
 */
export function isValue(view: TokenView, i: number, clause: Clause): boolean {
  const before = view.tokens[i - 1];
  if (before?.kind === "word") return opensExpression(view, i - 1);
  if (before?.kind !== "punct" || clause === "names") return false;
  if (view.is(i - 1, ",")) return clause === "expression" || clause === "by";
  return !view.is(i - 1, ")") && !view.is(i - 1, ".") && !view.is(i - 1, ";");
}

function opensExpression(view: TokenView, i: number): boolean {
  if (introducesExpression(view.text(i))) return !view.isWord(i - 1, "INDEXED");
  return view.isWord(i, "FROM") && view.isWord(i - 1, "DISTINCT");
}
