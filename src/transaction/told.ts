import { tokensOf } from "../sql/analyse.ts";
import { EVERYTHING } from "../commit/log_table.ts";
import { tableOf } from "../commit/written_tables.ts";
import type { Facts, TableFacts } from "../schema/facts.ts";
import { insertParts, itemsOf } from "../schema/statement_parts.ts";
import type { Prepared } from "../sql/prepare.ts";
import { ROWID_NAMES } from "../sql/table_columns.ts";
import type { TokenView } from "../sql/token_view.ts";
import { readsLocal } from "./local_names.ts";
import { preimageOf, sourceOf } from "./preimage.ts";

/** What the answer to a write depends on, beyond how many rows it changed; it is what has to hold at commit. */
export type Told =
  /** Nothing: the number of rows says it all. */
  | { readonly is: "count" }
  /** The values that were inserted, and with `rowid` the number that the table gave them. */
  | { readonly is: "inserted"; readonly rowid: boolean }
  /** The rows that it is about, as they were before. */
  | { readonly is: "preimage"; readonly read: Prepared }
  /** The rows before and behind it, of those keys that it tells. */
  | ToldRows
  /** More than guards can say: nobody may write these tables until the commit. */
  | { readonly is: "judged"; readonly scopes: readonly string[] };

/** Rows that are compared by their keys. */
export interface ToldRows {
  readonly is: "rows";
  readonly table: TableFacts;
  readonly key: readonly string[];
  /** What chooses the rows. */
  readonly read: Prepared | undefined;
  /** What nobody may write, besides. */
  readonly scopes: readonly string[];
}

const COUNT: Told = { is: "count" };

/** What a write tells its caller. */
export function toldOf(prepared: Prepared, facts: Facts): Told {
  const { analysis } = prepared;
  if (!analysis.returning) return COUNT;
  const table = tableOf(analysis.table, facts);
  const view = viewOf(prepared);
  const returning = view.tokens.findLastIndex((_, i) => view.isWord(i, "RETURNING"));
  // Triggers in front of it may leave rows out, and a SELECT behind it may tell other rows than those.
  const clear = table?.kind === "table" && table.interposed === undefined &&
    !readsElsewhere(view, returning);
  const inserts = analysis.verb === "INSERT" || analysis.verb === "REPLACE";
  const told = !clear
    ? undefined
    : inserts
    ? toldOfInsert(prepared, view, table, facts)
    : toldOfChange(prepared, view, table, facts);
  // Rows behind it are the same on every node only where what it assigns is.
  const differs = told?.is === "rows" && readsLocal(view, facts);
  return told === undefined || differs ? { is: "judged", scopes: scopesOf(prepared, facts) } : told;
}

/** What nobody may write while the answer to a statement is to stay true: the tables that it names. */
export function scopesOf(prepared: Prepared, facts: Facts): readonly string[] {
  const view = viewOf(prepared);
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

/** The tokens of a statement. */
export function viewOf({ analysis }: Prepared): TokenView {
  return tokensOf(analysis);
}

function toldOfInsert(
  prepared: Prepared,
  view: TokenView,
  table: TableFacts,
  facts: Facts,
): Told | undefined {
  const conflicts = resolvesConflicts(view, table);
  const selects = readsElsewhere(view);
  if (!conflicts && !selects && !choosesKeys(view, table)) {
    return { is: "inserted", rowid: tellsRowid(view, table) };
  }
  const upserts = view.tokens.flatMap((_, i) =>
    view.isWord(i, "ON") && view.isWord(i + 1, "CONFLICT") ? [i] : []
  );
  if (table.key.length === 0) return undefined;
  if (upserts.length > 0 && readsElsewhere(view, upserts[0]!)) return undefined;
  const read = conflicts && selects ? sourceOf(prepared) : undefined;
  // With several clauses a row may be told although it was left as it is.
  const scopes = upserts.length > 1 ? scopesOf(prepared, facts) : [];
  return { is: "rows", table, key: table.key, read, scopes };
}

/** Whether several rows may name some of their rowids, so that the last one says nothing of the others. */
function choosesKeys(view: TokenView, table: TableFacts): boolean {
  if (table.rowid === undefined) return false;
  const at = view.tokens.findIndex((_, i) => view.isOneOf(i, ["INSERT", "REPLACE"]));
  const parts = insertParts(view, at);
  if (parts === undefined) return true;
  const { sourceAt, columns } = parts;
  if (!view.isWord(sourceAt, "VALUES") || !view.is(itemsEnd(view, sourceAt + 1), ",")) return false;
  const names = rowidNames(table);
  return columns === undefined || columns.some((name) => names.has(name.toLowerCase()));
}

/** The index behind the first row of VALUES. */
function itemsEnd(view: TokenView, open: number): number {
  const items = itemsOf(view, open);
  return (items.at(-1)?.[1] ?? open) + 1;
}

function toldOfChange(
  prepared: Prepared,
  view: TokenView,
  table: TableFacts,
  facts: Facts,
): Told | undefined {
  const read = preimageOf(prepared);
  if (read === undefined) return undefined;
  const conflicts = prepared.analysis.verb === "UPDATE" && resolvesConflicts(view, table);
  // What a SELECT chooses may be the planner's choice, and then no node but the leader compares it.
  if (!conflicts && !readsElsewhere(view)) return { is: "preimage", read };
  if (table.key.length === 0) return undefined;
  // Which rows are left out depends on rows that are not told.
  const scopes = conflicts ? scopesOf(prepared, facts) : [];
  return { is: "rows", table, key: table.key, read, scopes };
}

/** Whether RETURNING tells the rowid, by a name of its own, by `*` or by what is made of it. */
function tellsRowid(view: TokenView, table: TableFacts): boolean {
  if (table.rowid === undefined) return false;
  const names = rowidNames(table);
  names.add("last_insert_rowid");
  for (const { name, generated } of table.columns) if (generated) names.add(name.toLowerCase());
  const from = view.tokens.findLastIndex((_, i) => view.isWord(i, "RETURNING"));
  return view.tokens.some((_, i) => {
    if (i <= from) return false;
    const star = view.is(i, "*") && (i === from + 1 || view.is(i - 1, ",") || view.is(i - 1, "."));
    return star || names.has(view.name(i).toLowerCase());
  });
}

/** The rowid's names, but for those that are columns of something else. */
function rowidNames({ rowid, columns }: TableFacts): Set<string> {
  const taken = new Set(columns.map(({ name }) => name.toLowerCase()));
  const names = ROWID_NAMES.filter((name) => !taken.has(name));
  return new Set([rowid!.toLowerCase(), ...names]);
}
