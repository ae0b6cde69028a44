import { NotSupportedError } from "../errors.ts";
import { changes } from "../client/route.ts";
import type { Prepared } from "../sql/prepare.ts";
import type { Statement } from "../sql/statement.ts";
import { admit, admitGuarded } from "./admit.ts";
import type { TransactionContext } from "./context.ts";

/**
 * Makes a statement ready for a transaction.
 *
 * @param guard Whether the caller wants a read to be checked at commit.
 * @param index Its position in a batch.
 * @returns With `guarded`, whether its rows will be checked.
 * @throws {NotSupportedError} If it has no meaning inside of this transaction.
 */
export function prepareStep(
  statement: Statement,
  { backend, options: { isolation, readOnly } }: TransactionContext,
  guard: boolean,
  index: number | undefined,
): { readonly statement: Prepared; readonly guarded: boolean } {
  const wanted = guard && isolation === "serializable";
  const prepared = backend.prepare(statement, {
    freezeReads: wanted,
    ...(index !== undefined && { statementIndex: index }),
  });
  admit(prepared);
  if (readOnly && changes(prepared.analysis)) throw notReadOnly(prepared);
  const guarded = wanted && prepared.analysis.kind === "read";
  if (guarded) admitGuarded(prepared);
  return { statement: prepared, guarded };
}

function notReadOnly({ analysis }: Prepared): NotSupportedError {
  return new NotSupportedError(
    `Cannot run ${analysis.verb} as the transaction is \`readOnly\``,
    { sql: analysis.source },
  );
}
