/**
 * What a statement is, by its main keyword: behind EXPLAIN and WITH, never by a word somewhere in
 * the text.
 *
 * @module
 */

import type { Token } from "./tokenize.ts";
import { groupEnd, isName, isPunct, isWord, textOf } from "./words.ts";

/** What a statement does. */
export type StatementKind =
  | "read"
  | "write"
  | "ddl"
  | "pragma"
  | "control"
  | "explain"
  | "unknown"
  | "empty";

/** A statement's main keyword. */
export interface Verb {
  /** What the statement does. */
  readonly kind: StatementKind;
  /** The main keyword in upper case, "" if there is none. */
  readonly verb: string;
  /** The index of its token. */
  readonly at: number;
}

const kinds: ReadonlyMap<string, StatementKind> = new Map<string, StatementKind>([
  ["SELECT", "read"],
  ["VALUES", "read"],
  ["INSERT", "write"],
  ["REPLACE", "write"],
  ["UPDATE", "write"],
  ["DELETE", "write"],
  ["CREATE", "ddl"],
  ["ALTER", "ddl"],
  ["DROP", "ddl"],
  ["REINDEX", "ddl"],
  ["ANALYZE", "ddl"],
  ["VACUUM", "ddl"],
  ["ATTACH", "ddl"],
  ["DETACH", "ddl"],
  ["PRAGMA", "pragma"],
  ["BEGIN", "control"],
  ["COMMIT", "control"],
  ["END", "control"],
  ["ROLLBACK", "control"],
  ["SAVEPOINT", "control"],
  ["RELEASE", "control"],
  ["EXPLAIN", "explain"],
]);

/**
 * Finds the main keyword.
 *
 * @param tokens The significant tokens of one statement.
 */
export function classify(sql: string, tokens: readonly Token[]): Verb {
  const behindWith = isWord(sql, tokens[0], "WITH");
  const at = behindWith ? withEnd(sql, tokens) : 0;
  const token = tokens[at];
  if (token === undefined) return { kind: at === 0 ? "empty" : "unknown", verb: "", at };
  const verb = token.kind === "word" ? textOf(sql, token).toUpperCase() : "";
  const kind = kinds.get(verb) ?? "unknown";
  const fits = !behindWith || kind === "read" || kind === "write";
  return { kind: fits ? kind : "unknown", verb, at };
}

/**
 * The index behind the common table expressions, or behind the last token if they make no sense.
 */
function withEnd(sql: string, tokens: readonly Token[]): number {
  let at = isWord(sql, tokens[1], "RECURSIVE") ? 2 : 1;
  while (isName(tokens[at])) {
    at++;
    if (isPunct(sql, tokens[at], "(")) at = groupEnd(sql, tokens, at);
    if (!isWord(sql, tokens[at], "AS")) break;
    at++;
    if (isWord(sql, tokens[at], "NOT")) at++;
    if (isWord(sql, tokens[at], "MATERIALIZED")) at++;
    if (!isPunct(sql, tokens[at], "(")) break;
    at = groupEnd(sql, tokens, at);
    if (!isPunct(sql, tokens[at], ",")) return at;
    at++;
  }
  return tokens.length;
}

/** The parts of a write that other code asks for. */
export interface WriteParts {
  /** The target as written, such as `main."t"`. */
  readonly table: string | undefined;
  /** RETURNING at the top level. */
  readonly returning: boolean;
  /** ON CONFLICT … DO UPDATE. */
  readonly upsert: boolean;
  /** The word behind OR, in upper case. */
  readonly or: string | undefined;
}

/**
 * Takes a write apart.
 *
 * @param tokens The significant tokens of one INSERT, REPLACE, UPDATE or DELETE.
 * @param verbAt The index of that keyword.
 */
export function writeParts(sql: string, tokens: readonly Token[], verbAt: number): WriteParts {
  const or = isWord(sql, tokens[verbAt + 1], "OR");
  let at = verbAt + (or ? 3 : 1);
  if (isWord(sql, tokens[at], "INTO") || isWord(sql, tokens[at], "FROM")) at++;
  return {
    table: target(sql, tokens, at),
    or: or && tokens[verbAt + 2] !== undefined
      ? textOf(sql, tokens[verbAt + 2]!).toUpperCase()
      : undefined,
    ...clauses(sql, tokens, verbAt),
  };
}

function target(sql: string, tokens: readonly Token[], at: number): string | undefined {
  if (!isName(tokens[at])) return undefined;
  const qualified = isPunct(sql, tokens[at + 1], ".") && isName(tokens[at + 2]);
  return sql.slice(tokens[at]!.start, tokens[qualified ? at + 2 : at]!.end);
}

function clauses(
  sql: string,
  tokens: readonly Token[],
  verbAt: number,
): { returning: boolean; upsert: boolean } {
  let returning = false;
  let upsert = false;
  let depth = 0;
  for (let i = verbAt; i < tokens.length; i++) {
    const token = tokens[i]!;
    if (token.kind === "punct") {
      const code = sql.charCodeAt(token.start);
      if (code === 40) depth++;
      else if (code === 41) depth--;
    } else if (depth === 0 && token.kind === "word") {
      returning ||= isWord(sql, token, "RETURNING");
      upsert ||= isWord(sql, token, "DO") && isWord(sql, tokens[i + 1], "UPDATE");
    }
  }
  return { returning, upsert };
}
