/**
 * The operators that every SQLite computes alike, given what their operands are.
 *
 * @module
 */

import { isCountable, isTextSafe, type ValueKind } from "./value_kind.ts";

/** What an operator answers; `undefined` where that may differ. */
export function kindOfOperator(name: string, kinds: readonly ValueKind[]): ValueKind | undefined {
  const [first = "null", second = "null"] = kinds;
  switch (name) {
    case "||":
      return isTextSafe(first) && isTextSafe(second) ? "text" : undefined;
    case "GLOB":
      return isTextSafe(first) && isTextSafe(second) ? "integer" : undefined;
    case "+":
    case "-":
    case "*":
    case "/":
    case "%":
      return plus(first, second);
    case "unary -":
      return plus(first, "integer");
    case "unary +":
      return first;
    // PRAGMA case_sensitive_like is a setting of the connection; REGEXP is whatever somebody defined.
    case "LIKE":
    case "REGEXP":
    case "MATCH":
    case "->":
    case "->>":
      return undefined;
  }
  return "integer";
}

/** What CAST answers; `undefined` where that may differ. */
export function kindOfCast(to: ValueKind | "real", from: ValueKind): ValueKind | undefined {
  if (to === "text") return isTextSafe(from) ? "text" : undefined;
  if (to === "integer") return "integer";
  return isCountable(from) ? "any" : undefined;
}

/** What a sum or the like is: numbers that come of text are read by each version in its own way. */
export function plus(a: ValueKind, b: ValueKind): ValueKind | undefined {
  if (a === "text" || b === "text") return undefined;
  return isCountable(a) && isCountable(b) ? "integral" : "any";
}
