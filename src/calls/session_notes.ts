/**
 * What calls of a session take down in its state when they have written.
 *
 * @module
 */

import type { Call } from "./call.ts";
import { SENTINEL } from "./batch.ts";
import type { Dispatcher } from "./dispatch.ts";
import { type Mark, nameOf, numberIn } from "./logged_commits.ts";
import type { SessionState } from "./session_state.ts";

/** The session has written that commit. @param times Its `times` when that began: what was open then is behind it. */
export function noteCommit(session: SessionState, mark: Mark, times: number): void {
  // The next read looks for an older one, too, by which it notices that another database was loaded meanwhile.
  if (session.read === "") session.read = session.wrote;
  if (numberIn(session.wrote) < mark.n) session.wrote = nameOf(mark);
  if (session.times === times) session.open = "";
}

/** The session has written, or may have, or was shown, what has no commit by which a node could be asked for it. */
export function noteUnmarked(session: SessionState): void {
  session.open = "u";
  session.times++;
}

/** The session has loaded another database. */
export function noteLoad(session: SessionState): void {
  session.read = session.wrote = "";
  session.given = false;
  noteUnmarked(session);
}

/**
 * Makes sure that the database has what a bookmark from outside stands for.
 *
 * @throws {StaleReadError} If it does not.
 */
export async function confirm(dispatcher: Dispatcher, call: Call): Promise<void> {
  await dispatcher.read({ ...call, statements: [SENTINEL], transaction: false });
}
