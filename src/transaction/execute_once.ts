import { OperationalError, TransactionConflictError } from "../errors.ts";
import type { Backend } from "../client/backend.ts";
import { emptyResult, resultsOf } from "../client/results.ts";
import type { Prepared } from "../sql/prepare.ts";
import type { Result } from "../sql/value.ts";
import { statementError } from "../wire/sql_error.ts";
import type { CommitId } from "./commit_log.ts";
import { type Commits, expired, unknown } from "./commits.ts";
import { changesGuard, POISON } from "./guard.ts";
import { refuseHelperTables } from "./helper_tables.ts";
import type { Call } from "./internal.ts";

/** The result of a write that took effect by a copy whose answer is lost. */
export function lostResult(): Result {
  return { ...emptyResult(), rowsAffected: -1 };
}

/**
 * Runs a write that takes effect at most once under its id.
 *
 * @throws {DatabaseError} Of the statement, once it is certain that it will not take effect.
 * @throws {OutcomeUnknownError} If that cannot be known.
 */
export async function executeOnce(
  { dispatcher }: Backend,
  commits: Commits,
  prepared: Prepared,
  id: string,
  call: Call,
): Promise<Result> {
  checkId(id);
  refuseHelperTables(prepared);
  const known = await commits.identify(id, call);
  const statements = [prepared];
  if (prepared.analysis.returning && !dispatcher.capabilities.returningAborts) {
    statements.push(changesGuard(await rehearse({ dispatcher }, prepared, call)));
  }
  const ending = await commits.commit({ id: known, earlier: [], statements }, call);
  if (ending.is === "committed") return resultsOf(ending.reply, [prepared], call.settings)[0]!;
  if (ending.is === "done") return lostResult();
  if (ending.is === "fenced") throw spent(id);
  const error = ending.entry === 0
    ? statementError(ending.text, { sql: prepared.analysis.source })
    : new TransactionConflictError("The rows changed while the write was being checked");
  return await report(error, commits, known, call);
}

/** A refusal is reported only when no other copy can pass any more. */
async function report(error: Error, commits: Commits, id: CommitId, call: Call): Promise<Result> {
  const settled = await commits.fence([id], call).catch((cause: unknown) => {
    if (call.settings.signal?.aborted) throw cause;
    throw unknown(id.id, error);
  });
  if (settled.is === "done") return lostResult();
  throw settled.is === "expired" ? expired(id.id) : error;
}

/** How many rows it changes; servers before 9.4.2 commit what is around a RETURNING write that failed. */
async function rehearse(
  { dispatcher }: Pick<Backend, "dispatcher">,
  prepared: Prepared,
  { settings, deadline }: Call,
): Promise<number> {
  const reply = await dispatcher.speculate({
    statements: [prepared, POISON],
    transaction: true,
    settings,
    deadline,
  });
  return resultsOf(reply, [prepared], settings)[0]!.rowsAffected;
}

function spent(id: string): OperationalError {
  return new OperationalError(
    `Cannot apply the write as its id ${
      JSON.stringify(id)
    } is spent: it failed before, or outcome() was asked for it. ` +
      "It was not applied; use a new id",
  );
}

function checkId(id: string): void {
  if (typeof id !== "string") throw new TypeError("Cannot use `id` as it is not text");
  if (id.length > 0 && id.length <= 200) return;
  throw new RangeError(
    `Cannot use \`id\` as it must have 1 to 200 characters: current length is ${id.length}`,
  );
}
