import { tableOf } from "../commit/written.ts";
import { EVERYTHING } from "../commit/log.ts";
import type { Facts, TableFacts } from "../schema/facts.ts";
import type { Prepared } from "../sql/prepare.ts";
import { significantTokens } from "../sql/tokenize.ts";
import { TokenView } from "../sql/view.ts";
import { preimageOf, returnsBySelect, sourceOf } from "./preimage.ts";

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
  const told = table?.kind !== "table" || returnsBySelect(prepared)
    ? undefined
    : analysis.verb === "INSERT" || analysis.verb === "REPLACE"
    ? toldOfInsert(prepared, table, facts)
    : toldOfChange(prepared, table, facts);
  return told ?? { is: "judged", scopes: scopesOf(prepared, facts) };
}

/** What nobody may write while the answer to a statement is to stay true: the tables that it names. */
export function scopesOf({ analysis: { text } }: Prepared, facts: Facts): readonly string[] {
  const view = new TokenView(text, significantTokens(text).tokens);
  const names = new Set<string>();
  for (let i = 0; i < view.tokens.length; i++) {
    for (const name of facts.table(view.name(i))?.reads ?? []) names.add(name);
  }
  return names.size === 0 ? [EVERYTHING] : [...names];
}

function toldOfInsert(prepared: Prepared, table: TableFacts, facts: Facts): Told | undefined {
  const { text } = prepared.analysis;
  const view = new TokenView(text, significantTokens(text).tokens);
  const clauses = view.tokens.filter((_, i) => view.isWord(i, "CONFLICT")).length;
  const conflicts = clauses > 0 || view.tokens.some((_, i) => isConflictVerb(view, i)) ||
    /\bon\s+conflict\b/i.test(table.sql);
  const selects = view.tokens.some((_, i) => view.isWord(i, "SELECT"));
  if (!conflicts && !selects) {
    return { is: "inserted", rowid: table.rowid !== undefined && tellsRowid(view, table.rowid) };
  }
  if (table.key.length === 0) return undefined;
  const read = conflicts && selects ? sourceOf(prepared) : undefined;
  // With several clauses a row may be told although it was left as it is.
  const scopes = clauses > 1 ? scopesOf(prepared, facts) : [];
  return { is: "rows", table, key: table.key, read, scopes };
}

/** REPLACE INTO, and INSERT OR …. */
function isConflictVerb(view: TokenView, i: number): boolean {
  return (view.isWord(i, "REPLACE") || view.isWord(i, "OR")) && view.isOneOf(i + 1, [
    "INTO",
    "IGNORE",
    "REPLACE",
    "FAIL",
    "ABORT",
  ]);
}

function toldOfChange(prepared: Prepared, table: TableFacts, facts: Facts): Told | undefined {
  const read = preimageOf(prepared);
  if (read === undefined) return undefined;
  const { text } = prepared.analysis;
  const view = new TokenView(text, significantTokens(text).tokens);
  const or = view.tokens.some((_, i) => view.isWord(i, "UPDATE") && view.isWord(i + 1, "OR"));
  // What a SELECT chooses may be the planner's choice, and then no node but the leader compares it.
  const selects = view.tokens.some((_, i) => view.isWord(i, "SELECT"));
  if (!or && !selects) return { is: "preimage", read };
  if (table.key.length === 0) return undefined;
  // Which rows are left out depends on rows that are not told.
  const scopes = or ? scopesOf(prepared, facts) : [];
  return { is: "rows", table, key: table.key, read, scopes };
}

/** Whether RETURNING names the rowid, be it by `*`. */
function tellsRowid(view: TokenView, rowid: string): boolean {
  const names = new Set([rowid.toLowerCase(), "rowid", "_rowid_", "oid"]);
  const from = view.tokens.findLastIndex((_, i) => view.isWord(i, "RETURNING"));
  return view.tokens.some((_, i) =>
    i > from && (view.is(i, "*") || names.has(view.name(i).toLowerCase()))
  );
}
