import { AuthenticationError, OperationalError, StaleReadError, TimeoutError } from "../errors.ts";
import type { Batch, Reply } from "./request.ts";
import { prepareRead } from "../sql/prepare.ts";
import type { CallContext } from "./call_context.ts";
import type { Level } from "./executor.ts";
import { type LoggedCommit, nameOfCommit, numberOfCommit } from "./logged_commits.ts";
import type { SessionState } from "./session_state.ts";

/** Who is asked next where a node lacks something: those that are not here have all that was ever answered. */
const NEXT: { readonly [L in Level]?: Level } = {
  none: "weak",
  auto: "weak",
  weak: "linearizable",
};

/**
 * Reads what is at least as new as all that the session has seen: the node that is asked says in the same snapshot what it
 * has; where that is too old, the leader is asked.
 *
 * @throws {StaleReadError} If the leader cannot be asked, or the database does not have it.
 */
export async function readIn(
  session: SessionState,
  batch: Batch,
  send: (batch: Batch) => Promise<Reply>,
): Promise<Reply> {
  const before = { ...session };
  const seen = [before.read, before.wrote].filter((name) => name !== "");
  const { settings } = batch;
  const read = (level: Level) =>
    send({ ...batch, settings: { ...settings, level }, commits: seen.map(numberOfCommit) });
  let level = before.open && NEXT[settings.level] ? "linearizable" : settings.level;
  let reply = await read(level);
  for (;;) {
    const commits = reply.commits ?? [];
    const next = NEXT[level];
    if (commits.length > 0 || (seen.length === 0 && next === undefined)) {
      if (seen.every((name) => holds(name, commits))) {
        take(session, before, commits.at(-1));
        return reply;
      }
    }
    if (next === undefined) {
      if (session.strict) throw lost();
      begin(session, before, commits.at(-1));
      return reply;
    }
    // Without a log a node tells nothing about itself.
    level = commits.length === 0 ? "linearizable" : next;
    reply = await read(level).catch((error: unknown) => {
      throw unasked(error);
    });
  }
}

/** Whether the state with these commits has that commit, which is the oldest that are left out. */
function holds(name: string, commits: readonly LoggedCommit[]): boolean {
  const n = numberOfCommit(name);
  const commit = commits.find((commit) => commit.n === n);
  if (commit !== undefined) return nameOfCommit(commit) === name;
  const [first] = commits;
  return first !== undefined && n < first.n && first.id === `${first.n}.floor`;
}

/** The session has read a state in which that commit is the newest. @param before What it was when the read began. */
function take(session: SessionState, before: SessionState, newest: LoggedCommit | undefined): void {
  session.given = false;
  if (session.wrote === before.wrote) session.wrote = "";
  if (newest !== undefined && numberOfCommit(session.read) < newest.n) {
    session.read = nameOfCommit(newest);
  }
  if (session.times !== before.times) return;
  if (before.open === "u" || newest === undefined) session.open = "r";
  else if (before.open === "r" && newest.n > numberOfCommit(before.read)) session.open = "";
}

/** Forgets what is not there, as if the session began with this read. */
function begin(
  session: SessionState,
  before: SessionState,
  newest: LoggedCommit | undefined,
): void {
  if (session.read === before.read) session.read = "";
  take(session, before, newest);
}

function lost(): StaleReadError {
  return new StaleReadError(
    "Cannot read in this session as the database does not have what it has seen: its bookmark is that of another " +
      "database, or another one was loaded since. Begin a new one with client.session()",
    { retryable: false },
  );
}

/** The error where only the leader could have answered, and did not. */
function unasked(error: unknown): unknown {
  const known = error instanceof TimeoutError || error instanceof AuthenticationError;
  if (known || !(error instanceof OperationalError)) return error;
  return new StaleReadError(
    `The node that was asked is behind what the session has seen, and the leader could not do it: ${error.message}`,
    { cause: error },
  );
}

/** The session has written that commit. @param times Its `times` when that began: what was open then is behind it. */
export function noteCommit(session: SessionState, commit: LoggedCommit, times: number): void {
  // The next read looks for an older one, too, by which it notices that another database was loaded meanwhile.
  if (session.read === "") session.read = session.wrote;
  if (numberOfCommit(session.wrote) < commit.n) session.wrote = nameOfCommit(commit);
  if (session.times === times) session.open = "";
}

/** The session has written, or may have, or was shown, what has no commit by which a node could be asked for it. */
export function noteUnlogged(session: SessionState): void {
  session.open = "u";
  session.times++;
}

/** The session has loaded another database. */
export function noteLoad(session: SessionState): void {
  session.read = session.wrote = "";
  session.given = false;
  noteUnlogged(session);
}

/**
 * Makes sure that the database has what a bookmark from outside stands for.
 *
 * @throws {StaleReadError} If it does not.
 */
export async function confirm(
  dispatcher: { read(batch: Batch): Promise<Reply> },
  call: CallContext,
): Promise<void> {
  await dispatcher.read({ ...call, statements: [prepareRead("SELECT 1")], transaction: false });
}
