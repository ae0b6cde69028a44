/**
 * What a PRAGMA is about.
 *
 * @module
 */

import type { Token } from "./tokenize.ts";
import { isName, isPunct, nameOf } from "./words.ts";

/** A PRAGMA's name and effect. */
export interface Pragma {
  /** In lower case, without the schema. */
  readonly name: string;
  /**
   * It sets or changes something: `= value`, `(value)` unless that only asks, or it acts by itself.
   */
  readonly writes: boolean;
}

/** Their argument says what to look at. */
const asking: ReadonlySet<string> = new Set([
  "foreign_key_check",
  "foreign_key_list",
  "index_info",
  "index_list",
  "index_xinfo",
  "integrity_check",
  "quick_check",
  "table_info",
  "table_list",
  "table_xinfo",
]);

/** They act without an argument. */
const acting: ReadonlySet<string> = new Set([
  "incremental_vacuum",
  "optimize",
  "wal_checkpoint",
]);

/**
 * Reads `PRAGMA [schema.]name [= value | (value)]`.
 *
 * @param tokens The significant tokens of the statement.
 */
export function readPragma(sql: string, tokens: readonly Token[]): Pragma | undefined {
  const qualified = isPunct(sql, tokens[2], ".");
  const token = tokens[qualified ? 3 : 1];
  if (token === undefined || !isName(token)) return undefined;
  const name = nameOf(sql, token).toLowerCase();
  const next = tokens[qualified ? 4 : 2];
  const argument = isPunct(sql, next, "=") || isPunct(sql, next, "(");
  return { name, writes: acting.has(name) || (argument && !asking.has(name)) };
}
