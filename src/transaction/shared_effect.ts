import { tableOf } from "../commit/written.ts";
import { checkOfRead } from "../reads/read_check.ts";
import { type Facts, hasLocalRows, type TableFacts } from "../schema/facts.ts";
import { TextCache } from "../sql/cache.ts";
import { assignments } from "../schema/update_parts.ts";
import type { Prepared } from "../sql/prepare.ts";
import type { TokenView } from "../sql/view.ts";
import { preimageOf, sourceOf } from "./preimage.ts";
import { readsElsewhere, resolvesConflicts, viewOf } from "./told.ts";
import { ROWID_NAMES } from "../sql/rowid_names.ts";

const caches: WeakMap<Facts, TextCache<boolean>> = new WeakMap();

/**
 * Whether a write changes the same rows on every node, so that every node may compare how many it changed. Where it
 * depends on columns that nodes may hold differently, a guard would undo the commit on some of them.
 */
export function hasSharedEffect(prepared: Prepared, facts: Facts): boolean {
  let cache = caches.get(facts);
  if (cache === undefined) caches.set(facts, cache = new TextCache(1000, 1_000_000));
  const { text } = prepared.analysis;
  const known = cache.get(text);
  if (known !== undefined) return known;
  const shared = isShared(prepared, facts);
  cache.set(text, shared);
  return shared;
}

function isShared(prepared: Prepared, facts: Facts): boolean {
  const { analysis } = prepared;
  const table = tableOf(analysis.table, facts);
  if (table === undefined) return false;
  // What triggers do in place of a write to a view is not counted.
  if (table.kind === "view") return true;
  // A trigger in front that depends on something of the node's own leaves out rows of that node alone.
  if (table.interposed !== undefined && hasLocalRows(table)) return false;
  for (const name of table.interposed ?? []) if (isLocal(facts.table(name))) return false;
  const inserts = analysis.verb === "INSERT" || analysis.verb === "REPLACE";
  return inserts ? insertIsShared(prepared, table, facts) : changeIsShared(prepared, table, facts);
}

function isLocal(table: TableFacts | undefined): boolean {
  return table === undefined || table.local.size > 0;
}

function insertIsShared(prepared: Prepared, table: TableFacts, facts: Facts): boolean {
  const view = viewOf(prepared);
  const conflicts = resolvesConflicts(view, table);
  // A row that one node has and another has not may be met on that one only.
  if (conflicts && (hasLocalRows(table) || table.localUnique)) return false;
  if (!upsertIsShared(view, table)) return false;
  if (!readsElsewhere(view)) return true;
  const source = sourceOf(prepared);
  // What meets a row that is there depends on the values, too.
  return source !== undefined && (conflicts ? isAlike : choosesAlike)(source, facts);
}

/** Whether nothing behind ON CONFLICT depends on what nodes may hold differently. */
function upsertIsShared(view: TokenView, table: TableFacts): boolean {
  const from = view.tokens.findIndex((_, i) =>
    view.isWord(i, "ON") && view.isWord(i + 1, "CONFLICT")
  );
  if (from < 0) return true;
  const returning = view.tokens.findLastIndex((_, i) => view.isWord(i, "RETURNING"));
  const to = returning < 0 ? view.tokens.length : returning;
  if (readsElsewhere(view, from, to)) return false;
  const targets = new Set<number>();
  for (let i = from; i < to; i++) {
    if (!view.isWord(i, "SET")) continue;
    const list = assignments(view, i);
    if (list === undefined) return false;
    for (const [k, { value }] of list.entries()) {
      const first = k === 0 ? i + 1 : list[k - 1]!.value[1] + 1;
      for (let at = first; at < value[0]; at++) targets.add(at);
    }
  }
  return !view.tokens.some((_, i) =>
    i >= from && i < to && !targets.has(i) && !isExcluded(view, i) &&
    isLocalName(view.name(i), table)
  );
}

/** The values that were to be inserted are the same on every node. */
function isExcluded(view: TokenView, i: number): boolean {
  return view.is(i - 1, ".") && view.name(i - 2).toLowerCase() === "excluded";
}

function isLocalName(written: string, { local, rowid }: TableFacts): boolean {
  const name = written.toLowerCase();
  // VACUUM gives rows other rowids where no column holds them.
  return local.has(name) || (rowid === undefined && ROWID_NAMES.includes(name));
}

function changeIsShared(prepared: Prepared, table: TableFacts, facts: Facts): boolean {
  if (hasLocalRows(table)) return false;
  const view = viewOf(prepared);
  const rows = preimageOf(prepared);
  if (rows === undefined || !choosesAlike(rows, facts)) return false;
  if (prepared.analysis.verb === "DELETE" || !resolvesConflicts(view, table)) return true;
  // Which rows are left out depends on the values, too.
  return !table.localUnique && !readsElsewhere(view) && isAlike(rows, facts);
}

/** Whether a read finds the same rows on every node, but for local columns in them. */
function choosesAlike({ sql }: Prepared, facts: Facts): boolean {
  const { guard, ordered } = checkOfRead(sql, facts);
  return guard !== undefined && !ordered;
}

/** Whether a read finds the same rows on every node, with the same values. */
function isAlike(read: Prepared, facts: Facts): boolean {
  return choosesAlike(read, facts) && checkOfRead(read.sql, facts).judged === undefined;
}
