import type { Mark } from "../calls/logged_commits.ts";
import type { Prepared } from "../sql/prepare.ts";
import { OperationalError } from "../errors.ts";
import { statementError } from "../wire/sql_errors.ts";
import { type Commit, type Commits, type Ending, notEntered } from "../commit/commits.ts";
import { type CommitId, mint } from "../commit/log_table.ts";
import { fencedOff } from "../commit/endings.ts";
import type { Call } from "../calls/call.ts";
import { targetsOf, writtenBy } from "../commit/written_tables.ts";
import { readConflict, schemaConflict, tableConflict, writtenConflict } from "./conflicts.ts";
import { isConflict } from "./guard.ts";
import type { Hold } from "./hold.ts";
import { type Journal, type Planned, scopesOf } from "./journal.ts";
import type { Trial } from "./trial.ts";
import { raiseVersion, versionGuard } from "./version.ts";

/** How often the leader judges anew because somebody wrote what the judgement depends on. */
const MOST_JUDGEMENTS = 4;

/** How the commit of one run ended. */
export type RunEnding =
  | { readonly is: "committed"; readonly mark?: Mark | undefined }
  /** An earlier run with that id took effect, this one never will. */
  | { readonly is: "done earlier"; readonly id: string }
  /** Refused; of `unsettled` a late copy may still pass. */
  | { readonly is: "refused"; readonly error: Error; readonly unsettled: readonly CommitId[] };

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
  /** Reads are as current when they are answered as they have to be when they are checked. */
  readonly checkedAtOnce: boolean;
}

/**
 * Applies the writes of a run: its id, the version guard, then reads and writes with their guards, as one unit. Where it
 * was refused only because somebody wrote what the leader's judgement depends on, the leader judges again, and the commit
 * goes under a new id with the old one fenced off.
 */
export async function commitWrites(
  run: Run,
  first: CommitId,
  commits: Commits,
  call: Call,
): Promise<RunEnding> {
  const { journal, trial, hold } = run;
  await trial.schema.complete();
  const scoped = journal.scoped;
  const scopes = [...new Set(scoped.flatMap(scopesOf))];
  const own: CommitId[] = [];
  let since = Math.min(...scoped.map((op) => op.since ?? 0), trial.schema.since ?? Infinity);
  for (let id = first;; id = mint((await commits.knowledge.ready(call)).base)) {
    const planned = journal.plan();
    const earlier = [...run.earlier, ...own];
    const ending = await commits.commit(
      commitOf(run, planned, { id, earlier, since, scopes }),
      call,
    );
    if (ending.is === "committed" || ending.is === "done") hold?.applied();
    own.push(id);
    if (ending.is !== "interfered") return endingOf(run, planned, ending, own);
    const refused: RunEnding = {
      is: "refused",
      error: scoped.length === 0 ? schemaConflict() : writtenConflict(scoped, scopes),
      unsettled: own,
    };
    if (own.length > MOST_JUDGEMENTS) return refused;
    const judged = await again(run);
    if (judged === undefined) return refused;
    since = judged;
  }
}

/** Judges once more; `undefined` if something is not the same, or nobody can tell. */
async function again({ journal, trial }: Run): Promise<number | undefined> {
  if (journal.untold) {
    await trial.schema.remake();
    return trial.schema.since;
  }
  const { scoped } = journal;
  if (scoped.length === 0) return await trial.schema.review();
  // What a write told cannot be compared again.
  return scoped.some(({ kind }) => kind === "write") ? undefined : await trial.judge();
}

function commitOf(
  { trial, scope, hold, journal }: Run,
  planned: readonly Planned[],
  { id, earlier, since, scopes }: {
    id: CommitId;
    earlier: readonly CommitId[];
    since: number;
    scopes: readonly string[];
  },
): Commit {
  const writes = journal.writes.map(({ prepared }) => prepared);
  const facts = trial.schema.facts!;
  const wrote = writtenBy(writes, facts);
  const tables = targetsOf(writes, facts);
  for (const { check } of journal.reads) {
    // Behind DDL of this transaction it is another one, or a new one.
    const table = check.table && facts.table(check.table.name);
    if (table !== undefined) tables.add(table);
  }
  const { version } = trial;
  const versions = scope === undefined || version === undefined
    ? []
    : [versionGuard(scope, version), raiseVersion(scope, version)];
  return {
    // A run that never asked stands on the same ground as its id.
    entry: {
      id,
      hash: undefined,
      wrote,
      since: since === Infinity ? id.base : since,
      scopes,
      tables,
    },
    chosen: undefined,
    earlier,
    statements: [
      ...versions,
      ...planned.map(({ prepared }) => prepared),
      ...hold?.statements ?? [],
    ],
    mixed: false,
  };
}

function endingOf(
  { trial, scope, checked }: Run,
  planned: readonly Planned[],
  ending: Exclude<Ending, { is: "interfered" }>,
  own: readonly CommitId[],
): RunEnding {
  const versions = scope === undefined || trial.version === undefined ? 0 : 2;
  switch (ending.is) {
    case "committed":
      storeIds(
        planned,
        (i, { analysis }) =>
          ending.reply.answer.insertedAt(ending.reply.first + versions + i, analysis.upsert),
      );
      return { is: "committed", mark: ending.mark };
    case "done":
      storeIds(planned, () => undefined);
      return own.some(({ id }) => id === ending.id)
        ? { is: "committed" }
        : { is: "done earlier", id: ending.id };
    case "fenced":
      return { is: "refused", error: fencedOff("transaction"), unsettled: own.slice(0, -1) };
    case "refused": {
      // Versions only grow, so a stale one is final.
      const stale = ending.entry < versions;
      const error = ending.entry < 0
        ? notEntered(ending.text)
        : refusal(planned[ending.entry - versions], ending.text, checked);
      return { is: "refused", error, unsettled: stale ? own.slice(0, -1) : own };
    }
    default:
      throw new OperationalError(`Cannot read the end of the commit: ${ending.is}`);
  }
}

/** Ids that nobody looked at so far are from now on those that were stored. */
function storeIds(
  planned: readonly Planned[],
  idAt: (i: number, prepared: Prepared) => number | bigint | undefined,
): void {
  for (const [i, { prepared, op }] of planned.entries()) {
    if (op.kind === "write" && op.prepared === prepared) op.inserted?.stored(idAt(i, prepared));
  }
}

/** Checks a run that wrote nothing: all reads hold in one snapshot, and no earlier run takes effect any more. */
export async function commitReads(
  { journal, trial, earlier, hold, checkedAtOnce }: Run,
  commits: Commits,
  call: Call,
): Promise<RunEnding> {
  const oneSnapshot = checkedAtOnce && trial.answers <= 1;
  if (!oneSnapshot && journal.reads.length > 0 && !await trial.holds()) {
    return { is: "refused", error: readConflict(), unsettled: [] };
  }
  if (earlier.length === 0) return { is: "committed" };
  const done = await settle(earlier, undefined, hold, commits, call);
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
  const done = await commits.settle(ids, error, call, hold?.statements);
  // That commit has let go of it, or this fence has.
  hold?.applied();
  return done;
}

/** Why a statement refused the commit: what was tried fails because the database changed, anything else by itself. */
function refusal(planned: Planned | undefined, text: string, checked: boolean): Error {
  if (planned === undefined) return readConflict();
  const { op, prepared } = planned;
  const write = op.kind === "write" && op.prepared === prepared ? op : undefined;
  if (write !== undefined && checked && write.lazy === undefined) return tableConflict(op, text);
  // A limit of the server that only the guard has met is no conflict: the same again would meet it again.
  if (write === undefined && (isConflict(text) || isOfSchema(text))) return tableConflict(op, text);
  const { analysis } = op.kind === "read" ? op.check.read : op.prepared;
  return statementError(text, {
    sql: analysis.source,
    ...(op.kind === "write" && { statementIndex: op.index }),
  });
}

/** What compiled when it was tried and does not now. */
function isOfSchema(text: string): boolean {
  return /^(no such |table .+ has |ambiguous column name|near ")/.test(text);
}
