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

/** Finds the main keyword of one statement: behind WITH, never a word somewhere in the text. */
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
