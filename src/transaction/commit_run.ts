import { OperationalError, TransactionConflictError } from "../errors.ts";
import { statementError } from "../wire/sql_error.ts";
import type { Journal, Planned } from "./journal.ts";
import type { CommitId } from "./commit_log.ts";
import { type Commits, expired, type Settled, unknown } from "./commits.ts";
import type { Hold } from "./hold.ts";
import type { Call } from "./internal.ts";
import type { Trial } from "./trial.ts";
import { raiseVersion, versionGuard } from "./version.ts";

/** How the commit of one run ended. */
export type RunEnding =
  | { readonly is: "committed" }
  /** An earlier run with that id took effect, this one never will. */
  | { readonly is: "done earlier"; readonly id: string }
  /** Refused; of `unsettled` a late copy may still pass. */
  | { readonly is: "refused"; readonly error: Error; readonly unsettled: CommitId | undefined };

/** One run of a transaction that is to be committed. */
export interface Run {
  readonly journal: Journal;
  readonly trial: Trial;
  /** Ids of earlier runs that are not settled. */
  readonly earlier: readonly CommitId[];
  readonly scope: string | undefined;
  /** Let go of by the commit itself where that is possible. */
  readonly hold: Hold | undefined;
  /** Reads and results are checked. */
  readonly checked: boolean;
  readonly readOnly: boolean;
}

/** Applies the writes of a run: its id, the version guard, then reads and writes with their guards, as one unit. */
export async function commitWrites(
  { journal, trial, earlier, scope, hold, checked }: Run,
  id: CommitId,
  commits: Commits,
  call: Call,
): Promise<RunEnding> {
  const planned = journal.plan(id.id);
  const { version } = trial;
  const versions = scope === undefined || version === undefined
    ? []
    : [versionGuard(scope, version), raiseVersion(scope, version)];
  const writes = planned.map(({ prepared }) => prepared);
  const statements = [...versions, ...writes, ...hold?.statements ?? []];
  const ending = await commits.commit({ id, earlier, statements }, call);
  if (ending.is === "committed" || ending.is === "done") hold?.applied();
  switch (ending.is) {
    case "committed":
      return ending;
    case "done":
      return ending.id === id.id ? { is: "committed" } : { is: "done earlier", id: ending.id };
    case "fenced":
      return { is: "refused", error: fencedOff(), unsettled: undefined };
    case "refused": {
      // Versions only grow, so a stale one is final.
      const stale = ending.entry < versions.length;
      const error = refusal(planned[ending.entry - versions.length], ending.text, checked);
      return { is: "refused", error, unsettled: stale ? undefined : id };
    }
  }
}

/** Checks a run that wrote nothing: all reads hold in one snapshot, and no earlier run takes effect any more. */
export async function commitReads(
  { journal, trial, earlier, hold, readOnly }: Run,
  commits: Commits,
  call: Call,
): Promise<RunEnding> {
  const oneSnapshot = readOnly && trial.requests <= 1;
  if (!oneSnapshot && journal.reads.length > 0 && !await trial.holds()) {
    return { is: "refused", error: conflict(), unsettled: undefined };
  }
  const done = earlier.length === 0
    ? undefined
    : await settle(earlier, undefined, hold, commits, call);
  return done === undefined ? { is: "committed" } : { is: "done earlier", id: done };
}

/**
 * Makes sure that none of the ids takes effect any more, as the last thing that a transaction does: it lets go of a
 * lock that is kept in the same database.
 *
 * @param error What led to it.
 * @returns The id that did take effect, if one did.
 * @throws {OutcomeUnknownError} If nobody can tell.
 */
export async function settle(
  ids: readonly CommitId[],
  error: unknown,
  hold: Hold | undefined,
  commits: Commits,
  call: Call,
): Promise<string | undefined> {
  let settled: Settled;
  try {
    settled = await commits.fence(ids, call, hold?.statements);
  } catch (cause) {
    if (call.settings.signal?.aborted) throw cause;
    throw unknown(ids.at(-1)!.id, error ?? cause);
  }
  if (settled.is === "expired") throw expired(settled.id);
  // That commit has let go of it, or this fence has.
  hold?.applied();
  return settled.is === "done" ? settled.id : undefined;
}

/** The error of a transaction whose reads do not hold any more. */
export function conflict(cause?: unknown, attempts = 1): TransactionConflictError {
  return new TransactionConflictError(
    "Another client changed what the transaction had read, so nothing of it was kept: run it again",
    { cause, attempts },
  );
}

/** A write that nobody tried may fail by itself; anything else fails because the database changed. */
function refusal(planned: Planned | undefined, text: string, checked: boolean): Error {
  const write = planned?.write;
  if (write === undefined || (checked && !write.lazy)) return conflict(new Error(text));
  return statementError(text, {
    sql: write.prepared.analysis.source,
    statementIndex: write.index,
  });
}

function fencedOff(): OperationalError {
  return new OperationalError(
    "The transaction was not applied, as somebody asked for the outcome of its id before it was committed",
    { retryable: true },
  );
}
