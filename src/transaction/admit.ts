import { NotSupportedError } from "../errors.ts";
import type { Prepared } from "../sql/prepare.ts";
import { volatileValuesOf } from "../sql/volatile_values.ts";
import { refuseOwnTables } from "../commit/refusals.ts";

/**
 * Refuses what has no meaning inside a transaction.
 *
 * @throws {NotSupportedError} For VACUUM, PRAGMAs like it and our own tables.
 */
export function admit(prepared: Prepared): void {
  const { analysis } = prepared;
  const { kind, verb, pragma } = analysis;
  refuseOwnTables(prepared);
  if (verb === "VACUUM") throw refusal(prepared, "VACUUM", "SQLite runs it outside only");
  if (kind === "pragma" && pragma?.place === "alone") {
    throw refusal(prepared, `PRAGMA ${pragma.name}`, "it is not part of one");
  }
}

/**
 * Refuses a read that is another one each time.
 *
 * @throws {NotSupportedError} If it holds `random()` or the like.
 */
export function admitGuarded(prepared: Prepared): void {
  if (
    !volatileValuesOf(prepared.analysis).some(({ kind }) =>
      kind === "random" || kind === "randomblob"
    )
  ) {
    return;
  }
  throw new NotSupportedError(
    "Cannot check at commit that the rows are still the same, as the read holds random(): " +
      "give { guard: false } if they need not be, or read outside of the transaction",
    { sql: prepared.analysis.source, code: "ERR_UNCHECKABLE" },
  );
}

function refusal({ analysis }: Prepared, what: string, reason: string): NotSupportedError {
  return new NotSupportedError(`Cannot send ${what} in a transaction as ${reason}`, {
    sql: analysis.source,
  });
}
