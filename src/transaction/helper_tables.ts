import { NotSupportedError } from "../errors.ts";
import { isOwnTable } from "../sql/own_tables.ts";
import { significantTokens } from "../sql/tokenize.ts";
import { nameOf } from "../sql/words.ts";
import type { Prepared } from "../sql/prepare.ts";

/**
 * Refuses a statement that names a helper table: the commit around it writes there.
 *
 * @throws {NotSupportedError} If it does.
 */
export function refuseHelperTables({ analysis: { source, text } }: Prepared): void {
  if (!/_rqlite_/i.test(text)) return;
  for (const token of significantTokens(text).tokens) {
    const name = nameOf(text, token);
    if (!isOwnTable(name)) continue;
    throw new NotSupportedError(
      `Cannot use ${name} in a transaction, nor in a write with an id, as their commits use it`,
      { sql: source },
    );
  }
}
