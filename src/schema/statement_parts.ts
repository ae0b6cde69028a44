import type { Range } from "../sql/group_items.ts";
import type { TokenView } from "../sql/token_view.ts";

/** Where the parts of an INSERT or REPLACE are; all numbers are indexes of tokens. */
export interface InsertParts {
  /** INSERT, or REPLACE as the first word. */
  readonly replace: boolean;
  /** The word behind OR, in upper case. */
  readonly or: string | undefined;
  /** The name of the schema. */
  readonly schema: string | undefined;
  /** The name of the table. */
  readonly table: string;
  /** Behind the table and its alias: where a list of columns stands or would stand. */
  readonly columnsAt: number;
  /** The columns as they are named, without quotes. */
  readonly columns: readonly string[] | undefined;
  /** The first token of the source: DEFAULT, VALUES, SELECT or WITH. */
  readonly sourceAt: number;
}

/**
 * Reads an INSERT up to its source.
 *
 * @param at The index of INSERT or REPLACE.
 * @returns `undefined` if it is none that SQLite would accept.
 */
export function insertParts(view: TokenView, at: number): InsertParts | undefined {
  const or = view.isWord(at + 1, "OR") ? view.text(at + 2).toUpperCase() : undefined;
  const into = or === undefined ? at + 1 : at + 3;
  if (!view.isWord(into, "INTO") || !view.isName(into + 1)) return undefined;
  const qualified = view.is(into + 2, ".");
  const tableAt = qualified ? into + 3 : into + 1;
  if (!view.isName(tableAt)) return undefined;
  const columnsAt = view.isWord(tableAt + 1, "AS") ? tableAt + 3 : tableAt + 1;
  const listed = view.is(columnsAt, "(");
  const columns = listed ? nameList(view, columnsAt) : undefined;
  if (listed && columns === undefined) return undefined;
  return {
    replace: view.isWord(at, "REPLACE"),
    or,
    schema: qualified ? view.name(into + 1) : undefined,
    table: view.name(tableAt),
    columnsAt,
    columns,
    sourceAt: listed ? view.groupEnd(columnsAt) : columnsAt,
  };
}

/** The names of `(a, "b", [c])`, or `undefined` if there is anything else in it. */
export function nameList(view: TokenView, open: number): string[] | undefined {
  const names: string[] = [];
  for (let i = open + 1;; i += 2) {
    if (!view.isName(i)) return undefined;
    names.push(view.name(i));
    if (view.is(i + 1, ")")) return names;
    if (!view.is(i + 1, ",")) return undefined;
  }
}

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
  for (let i = at; i < view.tokens.length; i = view.behind(i)) {
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
    const equals = view.behind(i);
    if (columns === undefined || !(view.is(equals, "=") || view.is(equals, "=="))) return undefined;
    const to = valueEnd(view, equals + 1);
    if (to === equals + 1) return undefined;
    found.push({ columns, value: [equals + 1, to] });
    if (!view.is(to, ",")) return found;
    i = to + 1;
  }
}

function nameAt(view: TokenView, i: number): string[] | undefined {
  return view.isName(i) ? [view.name(i)] : undefined;
}

function valueEnd(view: TokenView, from: number): number {
  let i = from;
  while (i < view.tokens.length && !view.is(i, ",") && !view.is(i, ";")) {
    // IS DISTINCT FROM begins no clause.
    if (view.isOneOf(i, ends) && !view.isWord(i - 1, "DISTINCT")) return i;
    i = view.behind(i);
  }
  return i;
}
