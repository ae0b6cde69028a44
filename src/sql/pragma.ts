/**
 * What a PRAGMA is about, and where it may be sent. Most settings belong to a connection, which each node has one of for
 * all clients, until it is started again.
 *
 * @module
 */

import type { TokenView } from "./token_view.ts";

/**
 * Where a PRAGMA may be sent: also in a transaction, only in a transaction or batch of several statements, only outside of
 * them, or not at all.
 */
export type PragmaPlace = "anywhere" | "unit" | "alone" | "nowhere";

/** A PRAGMA's name and effect. */
export interface Pragma {
  /** In lower case, without the schema. */
  readonly name: string;
  /**
   * It sets or changes something: `= value`, `(value)` unless that only asks, or it acts by itself.
   */
  readonly writes: boolean;
  /** Known to be harmless there. */
  readonly place: PragmaPlace;
}

function names(text: string): ReadonlySet<string> {
  return new Set(text.split(/\s+/));
}

/** Their argument says what to look at. */
const asking = names(
  `foreign_key_check foreign_key_list index_info index_list index_xinfo integrity_check quick_check table_info table_list
  table_xinfo`,
);

/** Without an argument they only answer. */
const answering = names(
  `analysis_limit application_id auto_vacuum automatic_index busy_timeout cache_size cache_spill cell_size_check
  checkpoint_fullfsync collation_list compile_options count_changes data_version database_list default_cache_size
  defer_foreign_keys empty_result_callbacks encoding foreign_keys freelist_count full_column_names fullfsync function_list
  hard_heap_limit ignore_check_constraints journal_mode journal_size_limit legacy_alter_table locking_mode max_page_count
  mmap_size module_list page_count page_size pragma_list query_only read_uncommitted recursive_triggers
  reverse_unordered_selects schema_version secure_delete short_column_names soft_heap_limit synchronous temp_store threads
  trusted_schema user_version wal_autocheckpoint writable_schema`,
);

/** With an argument they change the database, which all nodes do alike. */
const storing = names("application_id user_version");

/** They leave the data as it is, and act with an argument or without. */
const tidying = names("incremental_vacuum optimize");

/**
 * Reads `PRAGMA [schema.]name [= value | (value)]`.
 *
 * @param at The index of the word PRAGMA.
 */
export function readPragma(view: TokenView, at = 0): Pragma | undefined {
  const qualified = view.is(at + 2, ".");
  const nameAt = at + (qualified ? 3 : 1);
  if (!view.isName(nameAt)) return undefined;
  const name = view.name(nameAt).toLowerCase();
  const argument = view.is(nameAt + 1, "=") || view.is(nameAt + 1, "(");
  const asks = asking.has(name) || (!argument && answering.has(name));
  const main = !qualified || view.name(at + 1).toLowerCase() === "main";
  return {
    name,
    writes: !asks,
    place: asks ? "anywhere" : main ? placeOf(name, argument) : "nowhere",
  };
}

function placeOf(name: string, argument: boolean): PragmaPlace {
  if (tidying.has(name)) return "alone";
  if (!argument) return "nowhere";
  return storing.has(name) ? "anywhere" : name === "defer_foreign_keys" ? "unit" : "nowhere";
}
