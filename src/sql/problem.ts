import type { Position } from "../errors.ts";
import { MAX_PARAMETERS, withFewer } from "./placeholders.ts";
import type { Token } from "./tokenize.ts";

/**
 * Says what is wrong, as the end of a sentence that goes on with "as".
 *
 * @param error The first token that SQLite would not accept.
 * @param refused The first placeholder that SQLite would not accept.
 * @param verb What the statement does.
 */
export function findProblem(
  text: string,
  error: Token | undefined,
  refused: string | undefined,
  verb: string,
): string | undefined {
  if (text.includes("\0")) return "it holds a NUL character, at which SQLite would stop reading";
  if (!text.isWellFormed()) return "it holds half of a surrogate pair, which UTF-8 cannot express";
  if (error !== undefined) {
    return tokenProblem(text, error, `at ${atPlace(positionOf(text, error.start))}`);
  }
  if (refused === undefined) return undefined;
  return /^\?\d/.test(refused)
    ? `the placeholder ${refused} is not between ?1 and ?${MAX_PARAMETERS}`
    : `it has more than ${MAX_PARAMETERS} parameters${withFewer(verb)}`;
}

/**
 * Says what is wrong with a token that SQLite would not accept.
 *
 * @param place Where it begins.
 */
export function tokenProblem(text: string, { start, end }: Token, place: string): string {
  switch (text[start]) {
    case "'":
      return `the string that begins ${place} is not closed`;
    case '"':
    case "`":
    case "[":
      return `the quoted name that begins ${place} is not closed`;
  }
  return `${JSON.stringify(shortened(text.slice(start, end)))} ${place} is not SQL`;
}

/** The first 20 characters. */
export function shortened(text: string): string {
  return text.length > 20 ? `${text.slice(0, 20)}…` : text;
}

/** Line and column of an offset. */
export function positionOf(sql: string, offset: number): Position {
  const before = sql.slice(0, offset);
  return { line: before.split("\n").length, column: before.length - before.lastIndexOf("\n") };
}

/** As a message says it. */
export function atPlace({ line, column }: Position): string {
  return `line ${line}, column ${column}`;
}
