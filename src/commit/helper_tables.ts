import { NotSupportedError } from "../errors.ts";
import { COMMIT_TABLE, isOwnTable } from "../sql/own_tables.ts";
import { significantTokens } from "../sql/tokenize.ts";
import { nameOf } from "../sql/words.ts";
import type { Prepared } from "../sql/prepare.ts";

/**
 * Refuses a statement that names a helper table: the commit around it writes there.
 *
 * @throws {NotSupportedError} If it does.
 */
export function refuseHelperTables(prepared: Prepared): void {
  const name = helperTables(prepared)[0];
  if (name === undefined) return;
  throw new NotSupportedError(
    `Cannot use ${name} in a transaction, nor in a write with an id, as their commits use it`,
    { sql: prepared.analysis.source },
  );
}

/** Whether a statement names the table that every commit begins with. */
export function namesCommits(prepared: Prepared): boolean {
  return helperTables(prepared).some((name) => name.toLowerCase() === COMMIT_TABLE);
}

function helperTables({ analysis: { text } }: Prepared): string[] {
  if (!/_rqlite_/i.test(text)) return [];
  return significantTokens(text).tokens.map((token) => nameOf(text, token)).filter(isOwnTable);
}
