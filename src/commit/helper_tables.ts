import { tokensOf } from "../sql/analyse.ts";
import { NotSupportedError } from "../errors.ts";
import { COMMIT_TABLE, isOwnTable } from "../sql/own_tables.ts";
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

function helperTables({ analysis }: Prepared): string[] {
  if (!/_rqlite_/i.test(analysis.text)) return [];
  const view = tokensOf(analysis);
  return view.tokens.map((_, i) => view.name(i)).filter(isOwnTable);
}
