import { NotSupportedError } from "../errors.ts";
import { significantTokens } from "../sql/tokenize.ts";
import { isWord } from "../sql/words.ts";
import type { Prepared } from "../sql/prepare.ts";
import { refuseHelperTables } from "../commit/helper_tables.ts";

/**
 * Refuses what has no meaning inside a transaction.
 *
 * @throws {NotSupportedError} For PRAGMAs that set something, VACUUM, temporary tables and the helper tables.
 */
export function admit(prepared: Prepared): void {
  const { analysis } = prepared;
  const { kind, verb, pragma } = analysis;
  refuseHelperTables(prepared);
  if (kind === "pragma" && (pragma?.writes ?? true)) {
    throw refusal(prepared, "a PRAGMA that sets something", "it is not part of a transaction");
  }
  if (verb === "VACUUM") throw refusal(prepared, "VACUUM", "SQLite runs it outside only");
  if (verb === "CREATE" && isTemporary(analysis.text)) {
    throw refusal(prepared, "CREATE TEMP", "what it makes exists on one node only");
  }
}

/**
 * Refuses a read that is another one each time.
 *
 * @throws {NotSupportedError} If it holds `random()` or the like.
 */
export function admitGuarded(prepared: Prepared): void {
  const { volatile } = prepared.analysis;
  if (!volatile.some(({ kind }) => kind === "random" || kind === "randomblob")) return;
  throw new NotSupportedError(
    "Cannot check at commit that the rows are still the same, as the read holds random(): " +
      "give { guard: false } if they need not be",
    { sql: prepared.analysis.source, code: "ERR_UNCHECKABLE" },
  );
}

function isTemporary(sql: string): boolean {
  const [, second] = significantTokens(sql).tokens;
  return isWord(sql, second, "TEMP") || isWord(sql, second, "TEMPORARY");
}

function refusal({ analysis }: Prepared, what: string, reason: string): NotSupportedError {
  return new NotSupportedError(`Cannot send ${what} in a transaction as ${reason}`, {
    sql: analysis.source,
  });
}
