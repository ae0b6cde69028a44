import { reasonOf, withoutUsers } from "../reason.ts";

/** An answer that none of the scripts gives: the client answered something else, or for somebody else. */
export class WrongAnswer extends Error {
  /** "WrongAnswer". */
  override name = "WrongAnswer";

  /** @param answer What came. */
  constructor(answer: unknown) {
    super(`the answer is not one to this command: ${brief(textOf(answer))}`);
  }
}

/** What is said of a state that passes, wherever in a message: failing over, starting, busy with a script. */
const PASSES =
  /\b(?:ASK|BUSY|CLUSTERDOWN|LOADING|MASTERDOWN|MOVED|READONLY|TRYAGAIN|Too many Cluster redirections)\b/;

/** What servers say of something that they will not do, now or later; glide words it anew. */
const FORBIDDEN =
  /\b(?:DENIED|NOAUTH|NOPERM|NOSCRIPT|NoScriptError|PermissionDenied|WRONGPASS)\b|unknown command '?EVAL/i;
const REFUSED = /(?:^-?|\W)(?:ERR|OOM|WRONGTYPE)\b|\bResponseError\b/;

/** Of a client that its owner closed; one that connects again says something else. */
const CLOSED = /client (?:is|was) (?:already )?closed|connection is closed|connection has failed/i;
const CLOSED_NAMES = ["ClientClosedError", "ClosingError"];

const ADAPTER = "is the adapter the one of this client?";
const RIGHTS = "it must allow EVAL, and GET, SET, DEL, PEXPIRE and PTTL of the key";

/**
 * Why a command cannot succeed however often it is sent: as far as an error tells, since clients agree on nothing. What
 * is not told here may pass. Either way nobody knows what the command did.
 */
export function refusal(error: unknown): string | undefined {
  const { name, message } = error instanceof Error ? error : { name: "", message: reasonOf(error) };
  const text = brief(message);
  if (error instanceof WrongAnswer) return `${text}; ${ADAPTER}`;
  // Also where its last words are those of a closed client: a cluster's client says them of one node.
  if (PASSES.test(message)) return undefined;
  if (CLOSED_NAMES.includes(name) || CLOSED.test(message)) return `its client is closed: ${text}`;
  // What a client of another kind makes of such arguments, or an object without that method.
  if (error instanceof TypeError && !isNetwork(error)) {
    return `its client does not take commands like that: ${text}; ${ADAPTER}`;
  }
  if (FORBIDDEN.test(message)) return `the server forbids it: ${text}; ${RIGHTS}`;
  const [code] = REFUSED.exec(message) ?? [];
  return code === undefined ? undefined : `the server refuses it: ${text}; ${hintOf(code)}`;
}

/** What to do about an error of that code. */
function hintOf(code: string): string {
  if (code.endsWith("OOM")) return "its memory is full";
  return code.endsWith("WRONGTYPE") ? "its key is in use for something else" : ADAPTER;
}

/** `fetch` reports a broken connection as a TypeError too. */
function isNetwork({ cause, message }: TypeError): boolean {
  return cause !== undefined || /fetch|network|connection|socket|load failed/i.test(message);
}

/** Without the command, which servers and clients like to repeat, and the user of a URL. */
export function brief(message: string): string {
  const [text = ""] = withoutUsers(message).split(/,? (?:command was|with args beginning with): /);
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}

function textOf(answer: unknown): string {
  try {
    return JSON.stringify(answer) ?? String(answer);
  } catch {
    return String(answer); // a cycle or a bigint
  }
}
