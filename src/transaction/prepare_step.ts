import { prepareFor } from "../calls/prepare.ts";
import { changes } from "../sql/analyse.ts";
import { markedFor } from "../commit/written_tables.ts";
import { NotSupportedError } from "../errors.ts";
import { completeInsert } from "../schema/complete_insert.ts";
import type { Facts } from "../schema/facts.ts";
import { changesOneRow } from "../schema/one_row.ts";
import { refuseVolatileViews } from "../schema/refuse_volatile.ts";
import type { Prepared } from "../sql/prepare.ts";
import type { Statement } from "../sql/statement.ts";
import { admit, admitGuarded } from "./admit.ts";
import type { TransactionContext } from "./context.ts";

/** What a statement is prepared with. */
export interface PrepareStepOptions {
  /** Whether the caller wants a read to be checked at commit. */
  readonly guard: boolean;
  /** Its position in a batch. */
  readonly index: number | undefined;
  /** When it was issued. */
  readonly now: Date;
  /** What is known of the schema. */
  readonly facts: Facts | undefined;
}

/**
 * Makes a statement ready for a transaction.
 *
 * @throws {NotSupportedError} If it has no meaning inside of this transaction.
 */
export function prepareStep(
  statement: Statement,
  context: TransactionContext,
  { guard, index, now, facts }: PrepareStepOptions,
): Prepared {
  const wanted = isGuarded(context, guard);
  const given = prepareFor(context.backend, statement, {
    now,
    freezeReads: wanted,
    oneRow: (sql) => facts === undefined || changesOneRow(sql, facts),
    ...(index !== undefined && { statementIndex: index }),
    ...(facts !== undefined && { complete: (sql: string) => completeInsert(sql, facts) }),
  });
  if (facts !== undefined) refuseVolatileViews(given.analysis, facts);
  const prepared = facts === undefined ? given : markedFor(given, facts);
  admit(prepared);
  if (context.options.readOnly && changes(prepared.analysis)) throw notReadOnly(prepared);
  if (wanted && prepared.analysis.kind === "read") admitGuarded(prepared);
  return prepared;
}

/** Whether the rows of reads are checked at commit. */
export function isGuarded({ options }: TransactionContext, guard: boolean): boolean {
  return guard && options.isolation === "serializable";
}

function notReadOnly({ analysis }: Prepared): NotSupportedError {
  return new NotSupportedError(
    `Cannot run ${analysis.verb} as the transaction is \`readOnly\``,
    { sql: analysis.source },
  );
}
