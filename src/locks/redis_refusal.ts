import { LockUnavailableError } from "../errors.ts";

/** An answer that none of the scripts gives: the client answered something else, or for somebody else. */
export class WrongAnswer extends Error {
  /** "WrongAnswer". */
  override name = "WrongAnswer";

  /** @param answer What came. */
  constructor(answer: unknown) {
    super(`the answer is not one of this command: ${describe(answer)}`);
  }
}

/** What servers say of a state that passes, wherever in a message: failing over, starting, busy with a script. */
const PASSES = /\b(?:ASK|BUSY|CLUSTERDOWN|LOADING|MASTERDOWN|MOVED|READONLY|TRYAGAIN)\b/;

/** What servers refuse: at the front, or behind a client's own words. */
const REFUSED =
  /(?:^-?|\W)(?:DENIED|ERR|NOAUTH|NOPERM|NOSCRIPT|OOM|WRONGPASS|WRONGTYPE)\b|\b(?:NoScriptError|PermissionDenied|ResponseError)\b/;

/** Of a client that its owner closed; whoever reconnects says something else. */
const CLOSED = /\b(?:client (?:is|was) closed|connection is closed)/i;
const CLOSED_NAMES = ["ClientClosedError", "ClosingError"];

/**
 * Why a command cannot succeed however often it is sent: as far as an error tells, since clients agree on nothing. What
 * it does not tell may pass.
 */
export function refusal(error: unknown): string | undefined {
  if (error instanceof WrongAnswer) {
    return `${error.message}; is the adapter the one of this client?`;
  }
  const { name, message } = error instanceof Error ? error : { name: "", message: String(error) };
  if (CLOSED_NAMES.includes(name) || CLOSED.test(message)) {
    return `its client is closed: ${message}`;
  }
  // What a client of another kind makes of such arguments, or an object without that method.
  if (error instanceof TypeError && !isNetwork(error)) {
    return `its client does not take commands like that: ${message}; is the adapter the one of this client?`;
  }
  if (REFUSED.test(message) && !PASSES.test(message)) {
    return `the server refuses it: ${message}; it must be allowed EVAL, GET, SET, DEL, PEXPIRE and PTTL on the key`;
  }
  return undefined;
}

/** `fetch` reports a broken connection as a TypeError too. */
function isNetwork(error: TypeError): boolean {
  return error.cause !== undefined ||
    /fetch|network|connection|socket|load failed/i.test(error.message);
}

/** The error of a lock that cannot be taken for that reason. */
export function unavailable(name: string, reason: string, cause: unknown): LockUnavailableError {
  return new LockUnavailableError(`Cannot take the lock ${JSON.stringify(name)} as ${reason}`, {
    lock: name,
    cause,
  });
}

function describe(answer: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(answer);
  } catch {
    // A cycle or a bigint.
  }
  return (text ?? String(answer)).slice(0, 200);
}
