import {
  ConnectionError,
  InterfaceError,
  OperationalError,
  OutcomeUnknownError,
  RqliteError,
  TimeoutError,
} from "../errors.ts";
import type { Trace } from "./attempt.ts";
import { isTooLarge } from "./body.ts";
import { Interrupted } from "../time/within.ts";
import type { NeverSent } from "./never_sent.ts";
import { causeOf, reasonOf } from "../reason.ts";
import type { Exchange, Failure } from "./transport.ts";

/** What became of an attempt that ended without an answer. @param unsent What the error proves. */
export function interrupted(
  { write, deadline }: Exchange<unknown>,
  { node, redirected, ...trace }: Trace,
  error: unknown,
  unsent: NeverSent | undefined,
): Failure {
  const { by, notBegun } = error instanceof Interrupted ? error : {};
  const sent = trace.sent && notBegun === undefined;
  // What `credentials` and `mapNode` fail with, between two copies.
  if (!sent && error instanceof RqliteError) return { error, applied: "no", next: "never" };
  if (by === "abort") throw deadline.signal?.reason;
  error = causeOf(error);
  if (unsent !== undefined) {
    const retryable = unsent === "now";
    const unreached = cannotReach(node, error, retryable);
    // A node that still names a dead leader will do so until the others have elected one.
    const later = redirected ? "leaderless" : "elsewhere";
    return {
      error: unreached,
      applied: "no",
      next: retryable ? later : redirected ? "never" : "others",
    };
  }
  const cause = isTooLarge(error)
    ? error
    : by === undefined
    ? connectionLost(node, error)
    : by === "close"
    ? closedError()
    : tooLate(node, sent, notBegun);
  // A copy of a write is answered by a few words, and tells what became of it.
  const next = by === "close" || (isTooLarge(error) && !write) ? "never" : "elsewhere";
  if (!write || !sent) return { error: cause, applied: sent ? "maybe" : "no", next };
  const why = by === undefined ? `: ${reasonOf(error)}` : "";
  const message =
    `Cannot tell whether the write was applied, as the answer of ${node} was lost${why}`;
  return { error: new OutcomeUnknownError(message, { node, cause }), applied: "maybe", next };
}

/** @param retryable Whether the same may succeed a moment later. */
function cannotReach(node: string, cause: unknown, retryable: boolean): ConnectionError {
  return new ConnectionError(`Cannot reach ${node}: ${reasonOf(cause)}`, {
    node,
    cause,
    retryable,
  });
}

/** Words of Node's and Bun's `fetch` for a port without TLS; a connection that breaks later may have them too. */
const NO_TLS = /TLS/;

/** The error where an answer does not come to its end. */
export function connectionLost(node: string, cause: unknown): ConnectionError {
  const reason = reasonOf(cause);
  if (NO_TLS.test(reason)) return cannotReach(node, cause, true);
  return new ConnectionError(
    `Lost the connection to ${node} before its answer was complete: ${reason}`,
    { node, cause },
  );
}

function tooLate(node: string, sent: boolean, notBegun?: string): TimeoutError {
  return sent
    ? new TimeoutError(`No complete answer from ${node} in time`, { node })
    : new TimeoutError(
      `Out of time before the request was ${notBegun ? `begun: ${notBegun}` : "sent"}`,
    );
}

/** All nodes asked to be left alone, `node` for the shortest time, and that ends behind the deadline. */
export function resting(node: string): Failure {
  const error = new TimeoutError(
    `Out of time before the request was sent: ${node} asked to be left alone for longer, by Retry-After`,
    { node },
  );
  return { error, applied: "no", next: "never" };
}

/** The answer is a redirect that cannot be followed. */
export function misdirected({ node, status }: Trace): Failure {
  const error = new OperationalError(
    `Cannot use the redirect of ${node}, as it leads away from the cluster: is it a proxy that asks for a login?`,
    { node, ...(status !== undefined && { status }) },
  );
  return { error, applied: "no", next: "elsewhere" };
}

/** The error to throw: a definite answer to a later copy says nothing about an earlier one. */
export function settle({ error, applied }: Failure, doubtful: boolean): Error {
  if (!doubtful || applied !== "no") return error;
  return new OutcomeUnknownError(
    `Cannot tell whether the write was applied, as the answer to an earlier attempt was lost: ${error.message}`,
    { cause: error },
  );
}

/** How many other nodes an error names. */
const MOST_NAMED = 4;

/**
 * The same failure, whose error also says what other nodes answered to the call.
 *
 * @param said What each has answered last, the latest at the end; takes what `node` did.
 */
export function withOthers(failure: Failure, said: Map<string, string>, node: string): Failure {
  const { error } = failure;
  said.delete(node);
  const others = [...said.values()].filter((message) => message !== error.message);
  said.set(node, error.message);
  if (others.length === 0 || !(error instanceof OperationalError)) return failure;
  const message = `${error.message}; before that: ${others.slice(-MOST_NAMED).join("; ")}`;
  return { ...failure, error: copyOf(error, message) };
}

/** The same failure, of a call that cannot pay for another attempt. */
export function unaffordable({ error, applied, next }: Failure): Failure {
  const message =
    `${error.message}; not repeated, as the client has spent its budget of repeats: too many calls fail`;
  return { error: copyOf(error, message), applied, next };
}

/** Where the client was closed meanwhile. */
export function closedError(): InterfaceError {
  return new InterfaceError("The client is closed");
}

/** The same error once more, for another caller, in other words or for another reason: each has a stack of its own. */
export function copyOf<E extends RqliteError>(
  error: E,
  message: string = error.message,
  cause: unknown = error.cause,
): E {
  const Same = error.constructor as new (message: string, init: object) => E;
  return new Same(message, { ...error, ...(cause !== undefined && { cause }) });
}
