/**
 * What a statement is, by its main keyword: behind EXPLAIN and WITH, never by a word somewhere in
 * the text.
 *
 * @module
 */

import type { TokenView } from "./token_view.ts";

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

/** Finds the main keyword of one statement. */
export function classify(view: TokenView): Verb {
  const behindWith = view.isWord(0, "WITH");
  const at = behindWith ? withEnd(view) : 0;
  const token = view.tokens[at];
  if (token === undefined) return { kind: at === 0 ? "empty" : "unknown", verb: "", at };
  const verb = token.kind === "word" ? view.text(at).toUpperCase() : "";
  const kind = kinds.get(verb) ?? "unknown";
  const fits = !behindWith || kind === "read" || kind === "write";
  return { kind: fits ? kind : "unknown", verb, at };
}

/**
 * The index behind the common table expressions, or behind the last token if they make no sense.
 */
function withEnd(view: TokenView): number {
  let at = view.isWord(1, "RECURSIVE") ? 2 : 1;
  while (view.isName(at)) {
    at++;
    if (view.is(at, "(")) at = view.groupEnd(at);
    if (!view.isWord(at, "AS")) break;
    at++;
    if (view.isWord(at, "NOT")) at++;
    if (view.isWord(at, "MATERIALIZED")) at++;
    if (!view.is(at, "(")) break;
    at = view.groupEnd(at);
    if (!view.is(at, ",")) return at;
    at++;
  }
  return view.tokens.length;
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
 * Takes an INSERT, REPLACE, UPDATE or DELETE apart.
 *
 * @param verbAt The index of that keyword.
 */
export function writeParts(view: TokenView, verbAt: number): WriteParts {
  const or = view.isWord(verbAt + 1, "OR");
  let at = verbAt + (or ? 3 : 1);
  if (view.isWord(at, "INTO") || view.isWord(at, "FROM")) at++;
  return {
    table: target(view, at),
    or: or ? view.text(verbAt + 2).toUpperCase() || undefined : undefined,
    ...clauses(view, verbAt),
  };
}

function target(view: TokenView, at: number): string | undefined {
  if (!view.isName(at)) return undefined;
  const qualified = view.is(at + 1, ".") && view.isName(at + 2);
  return view.between(at, qualified ? at + 3 : at + 1);
}

function clauses(view: TokenView, verbAt: number): { returning: boolean; upsert: boolean } {
  let returning = false;
  let upsert = false;
  let depth = 0;
  for (let i = verbAt; i < view.tokens.length; i++) {
    if (view.is(i, "(")) depth++;
    else if (view.is(i, ")")) depth--;
    else if (depth === 0) {
      returning ||= view.isWord(i, "RETURNING");
      upsert ||= view.isWord(i, "DO") && view.isWord(i + 1, "UPDATE");
    }
  }
  return { returning, upsert };
}
