import { tableOf } from "../commit/written_tables.ts";
import type { Facts, TableFacts } from "../schema/facts.ts";
import { insertParts } from "../schema/statement_parts.ts";
import { tokensOf } from "../sql/analyse.ts";
import { itemsOf } from "../sql/group_items.ts";
import type { Prepared } from "../sql/prepare.ts";
import { ROWID_NAMES } from "../sql/table_columns.ts";
import type { TokenView } from "../sql/token_view.ts";
import { readsElsewhere, readsLocal, resolvesConflicts, scopesNamedIn } from "./statement_reads.ts";
import { preimageOf, sourceOf } from "./preimage.ts";

/** What the answer to a write depends on, beyond how many rows it changed; it is what has to hold at commit. */
export type ReturningCheck =
  | {
    /** Nothing: the number of rows says it all. */
    readonly is: "count";
  }
  | {
    /** The values that were inserted. */
    readonly is: "inserted";
    /** And the number that the table gave them. */
    readonly rowid: boolean;
  }
  | {
    /** The rows that it is about, as they were before. */
    readonly is: "preimage";
    /** What reads them. */
    readonly read: Prepared;
  }
  | RowsByKey
  | {
    /** More than guards can say, so the leader judges it. */
    readonly is: "judged";
    /** The tables that nobody may write until the commit. */
    readonly scopes: readonly string[];
  };

/** Rows that are compared by their keys. */
export interface RowsByKey {
  /** The rows before and behind it, of those keys that it tells. */
  readonly is: "rows";
  /** Their table. */
  readonly table: TableFacts;
  /** The columns of their key. */
  readonly key: readonly string[];
  /** What chooses the rows. */
  readonly read: Prepared | undefined;
  /** What nobody may write, besides. */
  readonly scopes: readonly string[];
}

const COUNT: ReturningCheck = { is: "count" };

/** What a write tells its caller. */
export function returningCheckOf(prepared: Prepared, facts: Facts): ReturningCheck {
  const { analysis } = prepared;
  if (!analysis.returning) return COUNT;
  const table = tableOf(analysis.table, facts);
  const view = tokensOf(prepared.analysis);
  const returning = view.tokens.findLastIndex((_, i) => view.isWord(i, "RETURNING"));
  // Triggers in front of it may leave rows out, and a SELECT behind it may tell other rows than those.
  const clear = table?.kind === "table" && table.interposed === undefined &&
    !readsElsewhere(view, returning);
  const inserts = analysis.verb === "INSERT" || analysis.verb === "REPLACE";
  const told = !clear
    ? undefined
    : inserts
    ? checkOfInsert(prepared, view, table, facts)
    : checkOfChange(prepared, view, table, facts);
  // Rows behind it are the same on every node only where what it assigns is.
  const differs = told?.is === "rows" && readsLocal(view, facts);
  return told === undefined || differs
    ? { is: "judged", scopes: scopesNamedIn(prepared, facts) }
    : told;
}

function checkOfInsert(
  prepared: Prepared,
  view: TokenView,
  table: TableFacts,
  facts: Facts,
): ReturningCheck | undefined {
  const conflicts = resolvesConflicts(view, table);
  const selects = readsElsewhere(view);
  if (!conflicts && !selects && !choosesKeys(view, table)) {
    return { is: "inserted", rowid: tellsRowid(view, table) };
  }
  const upserts = view.tokens.flatMap((_, i) =>
    view.isWord(i, "ON") && view.isWord(i + 1, "CONFLICT") ? [i] : []
  );
  if (table.key.length === 0) return undefined;
  const [upsert] = upserts;
  if (upsert !== undefined && readsElsewhere(view, upsert)) return undefined;
  const read = conflicts && selects ? sourceOf(prepared) : undefined;
  // With several clauses a row may be told although it was left as it is.
  const scopes = upserts.length > 1 ? scopesNamedIn(prepared, facts) : [];
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

function checkOfChange(
  prepared: Prepared,
  view: TokenView,
  table: TableFacts,
  facts: Facts,
): ReturningCheck | undefined {
  const read = preimageOf(prepared);
  if (read === undefined) return undefined;
  const conflicts = prepared.analysis.verb === "UPDATE" && resolvesConflicts(view, table);
  // What a SELECT chooses may be the planner's choice, and then no node but the leader compares it.
  if (!conflicts && !readsElsewhere(view)) return { is: "preimage", read };
  if (table.key.length === 0) return undefined;
  // Which rows are left out depends on rows that are not told.
  const scopes = conflicts ? scopesNamedIn(prepared, facts) : [];
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
  return new Set([...(rowid === undefined ? [] : [rowid.toLowerCase()]), ...names]);
}
