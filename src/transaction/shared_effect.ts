import { tableOf } from "../commit/written_tables.ts";
import { checkOfRead } from "../reads/read_check.ts";
import { CachePerSchema, type Facts, hasLocalRows, type TableFacts } from "../schema/facts.ts";
import { tokensOf } from "../sql/analyse.ts";
import type { Prepared } from "../sql/prepare.ts";
import { readsElsewhere, readsLocal, resolvesConflicts, upsertOf } from "./statement_reads.ts";
import { preimageOf, sourceOf } from "./preimage.ts";

const caches: CachePerSchema<boolean> = new CachePerSchema();

/**
 * Whether a write changes the same rows on every node, so that every node may compare how many it changed. Where it
 * depends on columns that nodes may hold differently, a guard would undo the commit on some of them.
 */
export function hasSharedEffect(prepared: Prepared, facts: Facts): boolean {
  const cache = caches.of(facts);
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
  const view = tokensOf(prepared.analysis);
  const conflicts = resolvesConflicts(view, table);
  // A row that one node has and another has not may be met on that one only.
  if (conflicts && (hasLocalRows(table) || table.localUnique)) return false;
  const upsert = upsertOf(view);
  if (
    upsert !== undefined && (readsElsewhere(view, ...upsert) || readsLocal(view, facts, upsert))
  ) {
    return false;
  }
  if (!readsElsewhere(view)) return true;
  const source = sourceOf(prepared);
  // What meets a row that is there depends on the values, too.
  return source !== undefined && (conflicts ? isAlike : choosesAlike)(source, facts);
}

function changeIsShared(prepared: Prepared, table: TableFacts, facts: Facts): boolean {
  if (hasLocalRows(table)) return false;
  const view = tokensOf(prepared.analysis);
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
