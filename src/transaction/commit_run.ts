import type { CallContext } from "../calls/call_context.ts";
import type { LoggedCommit } from "../calls/logged_commits.ts";
import type { Commit, Commits } from "../commit/commits.ts";
import { type Ending, fencedOff, notEntered } from "../commit/endings.ts";
import type { CommitId, Entry } from "../commit/log_table.ts";
import { targetsOf, writtenBy } from "../commit/written_tables.ts";
import { OperationalError } from "../errors.ts";
import { NO_FACTS } from "../schema/facts.ts";
import type { Prepared } from "../sql/prepare.ts";
import { statementError } from "../wire/sql_errors.ts";
import { readConflict, schemaConflict, tableConflict, writtenConflict } from "./conflicts.ts";
import { isConflict } from "./guard.ts";
import type { HeldLock } from "./held_lock.ts";
import { type Journal, type Planned, scopesOf } from "./journal.ts";
import type { Speculation } from "./speculation.ts";
import { raiseVersion, versionGuard } from "./version_row.ts";

/** How often the leader judges anew because somebody wrote what the judgement depends on. */
const MOST_JUDGEMENTS = 4;

/** How the commit of one run ended. */
export type RunEnding =
  | {
    readonly is: "committed";
    /** Its place in the log, where that is known. */
    readonly mark?: LoggedCommit | undefined;
  }
  | {
    /** An earlier run took effect, this one never will. */
    readonly is: "done earlier";
    /** That of the earlier run. */
    readonly id: string;
  }
  | {
    readonly is: "refused";
    /** Why. */
    readonly error: Error;
    /** Ids of which a late copy may still pass. */
    readonly unsettled: readonly CommitId[];
  };

/** One run of a transaction that is to be committed. */
export interface Run {
  /** What it did. */
  readonly journal: Journal;
  /** What it was told. */
  readonly speculation: Speculation;
  /** Ids of earlier runs that are not settled. */
  readonly earlier: readonly CommitId[];
  /** The name of the version row that all commits of a scope raise. */
  readonly scope: string | undefined;
  /** Let go of by the commit itself where that is possible. */
  readonly hold: HeldLock | undefined;
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
  call: CallContext,
): Promise<RunEnding> {
  const { journal, speculation, hold } = run;
  await speculation.schema.complete();
  const scoped = journal.scoped;
  const scopes = [...new Set(scoped.flatMap(scopesOf))];
  const own: CommitId[] = [];
  let since = Math.min(...scoped.map((op) => op.since ?? 0), speculation.schema.since ?? Infinity);
  for (let id = first;; id = await commits.mint(call)) {
    const planned = journal.plan();
    const earlier = [...run.earlier, ...own];
    // A run that never asked stands on the same state as its id.
    const judged = { id, since: since === Infinity ? id.base : since, scopes };
    const ending = await commits.commit({ ...commitOf(run, planned, judged), earlier }, call);
    if (ending.is === "committed" || ending.is === "done") hold?.applied();
    own.push(id);
    if (ending.is !== "interfered") return endingOf(run, planned, ending, own);
    const refused: RunEnding = {
      is: "refused",
      error: scoped.length === 0 ? schemaConflict() : writtenConflict(scoped, scopes),
      unsettled: own,
    };
    if (own.length > MOST_JUDGEMENTS) return refused;
    const again = await judgeAgain(run);
    if (again === undefined) return refused;
    since = again;
  }
}

/** Judges once more; `undefined` if something is not the same, or nobody can tell. */
async function judgeAgain({ journal, speculation }: Run): Promise<number | undefined> {
  if (journal.untold) {
    await speculation.schema.remake();
    return speculation.schema.since;
  }
  const { scoped } = journal;
  if (scoped.length === 0) return await speculation.schema.review();
  // What a write told cannot be compared again.
  return scoped.some(({ kind }) => kind === "write")
    ? undefined
    : await speculation.recheck.judge();
}

/** What a run applies. @param judged The id, and what the leader judged in which state. */
function commitOf(
  { speculation, scope, hold, journal }: Run,
  planned: readonly Planned[],
  judged: Pick<Entry, "id" | "since" | "scopes">,
): Commit {
  const writes = journal.writes.map(({ prepared }) => prepared);
  // By no facts a write enters what interferes with everything.
  const { facts = NO_FACTS } = speculation.schema;
  const wrote = writtenBy(writes, facts);
  const tables = targetsOf(writes, facts);
  for (const { check } of journal.reads) {
    // Behind DDL of this transaction it is another one, or a new one.
    const table = check.table && facts.table(check.table.name);
    if (table !== undefined) tables.add(table);
  }
  const { version } = speculation;
  const versions = scope === undefined || version === undefined
    ? []
    : [versionGuard(scope, version), raiseVersion(scope, version)];
  const statements = [
    ...versions,
    ...planned.map(({ prepared }) => prepared),
    ...hold?.statements ?? [],
  ];
  return { ...judged, wrote, tables, statements };
}

function endingOf(
  { speculation, scope, checked }: Run,
  planned: readonly Planned[],
  ending: Exclude<Ending, { is: "interfered" }>,
  own: readonly CommitId[],
): RunEnding {
  const versions = scope === undefined || speculation.version === undefined ? 0 : 2;
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
    case "repeated":
    case "reused":
    case "spent":
      // Of ids that callers choose for writes.
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
  { journal, speculation, earlier, hold, checkedAtOnce }: Run,
  commits: Commits,
  call: CallContext,
): Promise<RunEnding> {
  const oneSnapshot = checkedAtOnce && speculation.answers <= 1;
  if (!oneSnapshot && journal.reads.length > 0 && !await speculation.recheck.holds()) {
    return { is: "refused", error: readConflict(), unsettled: [] };
  }
  if (earlier.length === 0) return { is: "committed" };
  const done = await commits.settle({ ids: earlier, because: undefined, along: hold }, call);
  return done === undefined ? { is: "committed" } : { is: "done earlier", id: done.id };
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
