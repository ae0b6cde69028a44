import { behind, type TokenView } from "../sql/view.ts";
import { isName } from "../sql/words.ts";
import { nameList, type Range } from "./insert_parts.ts";

/** One assignment of a SET. */
export interface Assignment {
  /** The columns in front of `=`, without quotes. */
  readonly columns: readonly string[];
  /** The tokens of the value. */
  readonly value: Range;
}

const ends: readonly string[] = ["FROM", "WHERE", "ORDER", "LIMIT", "RETURNING", "ON"];

/** The index of the SET at this depth of parentheses, from `at` on; -1 if there is none. */
export function setAt(view: TokenView, at: number): number {
  for (let i = at; i < view.tokens.length; i = behind(view, i)) {
    if (view.isWord(i, "SET")) return i;
  }
  return -1;
}

/**
 * Reads what follows SET.
 *
 * @returns `undefined` if it is nothing that SQLite would accept.
 */
export function assignments(view: TokenView, set: number): Assignment[] | undefined {
  const found: Assignment[] = [];
  for (let i = set + 1;;) {
    const columns = view.is(i, "(") ? nameList(view, i) : nameAt(view, i);
    const equals = behind(view, i);
    if (columns === undefined || !(view.is(equals, "=") || view.is(equals, "=="))) return undefined;
    const to = valueEnd(view, equals + 1);
    if (to === equals + 1) return undefined;
    found.push({ columns, value: [equals + 1, to] });
    if (!view.is(to, ",")) return found;
    i = to + 1;
  }
}

function nameAt(view: TokenView, i: number): string[] | undefined {
  return isName(view.tokens[i]) ? [view.name(i)] : undefined;
}

function valueEnd(view: TokenView, from: number): number {
  let i = from;
  while (i < view.tokens.length && !view.is(i, ",") && !view.is(i, ";")) {
    // IS DISTINCT FROM begins no clause.
    if (view.isOneOf(i, ends) && !view.isWord(i - 1, "DISTINCT")) return i;
    i = behind(view, i);
  }
  return i;
}
