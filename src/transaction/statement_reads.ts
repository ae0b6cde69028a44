import { EVERYTHING } from "../commit/log_table.ts";
import { type Facts, hasLocalRows, type TableFacts } from "../schema/facts.ts";
import { assignments, insertParts } from "../schema/statement_parts.ts";
import { tokensOf } from "../sql/analyse.ts";
import type { Range } from "../sql/group_items.ts";
import type { Prepared } from "../sql/prepare.ts";
import { ROWID_NAMES } from "../sql/table_columns.ts";
import type { TokenView } from "../sql/token_view.ts";

/** What nobody may write while the answer to a statement is to stay true: the tables that it names. */
export function scopesNamedIn(prepared: Prepared, facts: Facts): readonly string[] {
  const view = tokensOf(prepared.analysis);
  const names = new Set<string>();
  for (let i = 0; i < view.tokens.length; i++) {
    const table = facts.table(view.name(i));
    for (const name of table?.reads ?? []) names.add(name);
    for (const name of table?.interposed ?? []) {
      for (const below of facts.table(name)?.reads ?? []) names.add(below);
    }
  }
  return names.size === 0 ? [EVERYTHING] : [...names];
}

/** Whether a statement reads rows of its own choice from some token on: by SELECT, or by `x IN table`. */
export function readsElsewhere(view: TokenView, from = 0, to = view.tokens.length): boolean {
  return view.tokens.some((_, i) =>
    i >= from && i < to &&
    (view.isWord(i, "SELECT") || (view.isWord(i, "IN") && !view.is(i + 1, "(")))
  );
}

/** Whether an INSERT or UPDATE may leave out or replace rows where it meets others. */
export function resolvesConflicts(view: TokenView, table: TableFacts): boolean {
  return /\bon\s+conflict\b/i.test(table.sql) ||
    view.tokens.some((_, i) =>
      (view.isWord(i, "ON") && view.isWord(i + 1, "CONFLICT")) ||
      (view.isOneOf(i, ["INSERT", "UPDATE"]) && view.isWord(i + 1, "OR")) ||
      (view.isWord(i, "REPLACE") && view.isWord(i + 1, "INTO"))
    );
}

/**
 * Whether a write, or a part of it, reads what nodes may hold differently, by the names in it. What it assigns, and what
 * it tells by RETURNING, is not read.
 */
export function readsLocal(view: TokenView, facts: Facts, [from, to]: Range = all(view)): boolean {
  const tables = new Set(view.tokens.map((_, i) => facts.table(view.name(i))));
  const named = [...tables].filter((table) => table !== undefined);
  if (named.some((table) => table.volatile || hasLocalRows(table))) return true;
  const local = new Set(named.flatMap(localNames));
  if (local.size === 0) return false;
  const written = assigned(view);
  if (written === undefined) return true;
  return view.tokens.some((_, i) =>
    i >= from && i < to && !written.has(i) && !isExcluded(view, i) &&
    (isStar(view, i) || local.has(view.name(i).toLowerCase()))
  );
}

/** The part of a write from its first ON CONFLICT to RETURNING; `undefined` if there is none. */
export function upsertOf(view: TokenView): Range | undefined {
  const from = view.tokens.findIndex((_, i) =>
    view.isWord(i, "ON") && view.isWord(i + 1, "CONFLICT")
  );
  return from < 0 ? undefined : [from, all(view)[1]];
}

function all(view: TokenView): Range {
  const returning = view.tokens.findLastIndex((_, i) => view.isWord(i, "RETURNING"));
  return [0, returning < 0 ? view.tokens.length : returning];
}

/** VACUUM gives rows other rowids where no column holds them. */
function localNames({ local, rowid }: TableFacts): string[] {
  return [...local, ...(rowid === undefined ? ROWID_NAMES : [])];
}

/** The tokens of the columns that are assigned; `undefined` if they cannot be read. */
function assigned(view: TokenView): Set<number> | undefined {
  const found = new Set<number>();
  const add = (from: number, to: number) => {
    for (let i = from; i < to; i++) found.add(i);
  };
  for (let i = 0; i < view.tokens.length; i++) {
    if (view.isOneOf(i, ["INSERT", "REPLACE"]) && (i === 0 || !view.isWord(i - 1, "OR"))) {
      const parts = insertParts(view, i);
      // Else it is the function of that name.
      if (parts !== undefined) add(parts.columnsAt, parts.sourceAt);
    }
    if (!view.isWord(i, "SET")) continue;
    const list = assignments(view, i);
    if (list === undefined) return undefined;
    let from = i + 1;
    for (const { value: [start, end] } of list) {
      add(from, start);
      from = end + 1;
    }
  }
  return found;
}

/** The values that were to be inserted are the same on every node. */
function isExcluded(view: TokenView, i: number): boolean {
  return view.is(i - 1, ".") && view.name(i - 2).toLowerCase() === "excluded";
}

/** All columns, and not a product or `count(*)`. */
function isStar(view: TokenView, i: number): boolean {
  if (!view.is(i, "*")) return false;
  return view.isOneOf(i - 1, ["SELECT", "DISTINCT", "ALL"]) || view.is(i - 1, ",") ||
    view.is(i - 1, ".");
}
