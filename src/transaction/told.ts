import { tableOf } from "../commit/written.ts";
import { EVERYTHING } from "../commit/log.ts";
import type { Facts, TableFacts } from "../schema/facts.ts";
import { analyse } from "../sql/analyse.ts";
import type { Prepared } from "../sql/prepare.ts";
import { significantTokens } from "../sql/tokenize.ts";
import { TokenView } from "../sql/view.ts";
import { preimageOf } from "./preimage.ts";

/** What the answer to a write depends on, beyond how many rows it changed; it is what has to hold at commit. */
export type Told =
  /** Nothing: the number of rows says it all. */
  | { readonly is: "count" }
  /** The values that were inserted, and with `rowid` the number that the table gave them. */
  | { readonly is: "inserted"; readonly rowid: boolean }
  /** The rows as they were before. */
  | { readonly is: "preimage"; readonly read: Prepared }
  /** The rows before and behind it, of those keys that it tells. */
  | { readonly is: "rows"; readonly table: TableFacts; readonly key: readonly string[] }
  /** More than guards can say: nobody may write these tables until the commit. */
  | { readonly is: "judged"; readonly scopes: readonly string[] };

const COUNT: Told = { is: "count" };

/** What a write tells its caller. */
export function toldOf(prepared: Prepared, facts: Facts): Told {
  const { analysis } = prepared;
  if (!analysis.returning) return COUNT;
  const table = tableOf(analysis.table, facts);
  const view = new TokenView(analysis.text, significantTokens(analysis.text).tokens);
  if (table?.kind !== "table" || readsElsewhere(view)) return judged(view, facts);
  const inserts = analysis.verb === "INSERT" || analysis.verb === "REPLACE";
  const told = inserts ? toldOfInsert(view, table) : toldOfChange(prepared, view);
  return told ?? judged(view, facts);
}

/** What nobody may write while the answer to a write is to stay true. */
export function scopesOfWrite({ analysis: { text } }: Prepared, facts: Facts): readonly string[] {
  const view = new TokenView(text, significantTokens(text).tokens);
  const names = new Set<string>();
  for (let i = 0; i < view.tokens.length; i++) {
    for (const name of facts.table(view.name(i))?.reads ?? []) names.add(name);
  }
  return names.size === 0 ? [EVERYTHING] : [...names];
}

function judged({ sql }: TokenView, facts: Facts): Told {
  const prepared = { analysis: analyse(sql), sql, params: [] };
  return { is: "judged", scopes: scopesOfWrite(prepared, facts) };
}

/** Whether other rows decide about it: by a SELECT, or by `x IN table`. */
function readsElsewhere(view: TokenView): boolean {
  return view.tokens.some((_, i) =>
    view.isOneOf(i, ["SELECT", "WITH"]) || (view.isWord(i, "IN") && !view.is(i + 1, "("))
  );
}

function toldOfInsert(view: TokenView, table: TableFacts): Told | undefined {
  const clauses = view.tokens.filter((_, i) => view.isWord(i, "CONFLICT")).length;
  const or = view.isOneOf(0, ["REPLACE"]) || view.isWord(1, "OR");
  const inSchema = /\bon\s+conflict\b/i.test(table.sql);
  if (clauses === 0 && !or && !inSchema) {
    return { is: "inserted", rowid: table.rowid !== undefined && tellsRowid(view, table.rowid) };
  }
  // With several clauses a row may be told although it was left as it is.
  if (clauses > 1 || table.key.length === 0) return undefined;
  return { is: "rows", table, key: table.key };
}

function toldOfChange(prepared: Prepared, view: TokenView): Told | undefined {
  const read = view.isWord(1, "OR") ? undefined : preimageOf(prepared);
  return read === undefined ? undefined : { is: "preimage", read };
}

/** Whether RETURNING names the rowid, be it by `*`. */
function tellsRowid(view: TokenView, rowid: string): boolean {
  const names = new Set([rowid.toLowerCase(), "rowid", "_rowid_", "oid"]);
  const from = view.tokens.findLastIndex((_, i) => view.isWord(i, "RETURNING"));
  return view.tokens.some((_, i) =>
    i > from && (view.is(i, "*") || names.has(view.name(i).toLowerCase()))
  );
}
