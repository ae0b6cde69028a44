import {
  AuthenticationError,
  ConnectionError,
  DataError,
  InternalError,
  NotSupportedError,
  OperationalError,
  type OperationalErrorInit,
  OutcomeUnknownError,
  ProgrammingError,
  type RqliteError,
  StaleReadError,
} from "../errors.ts";
import type { Failure, HttpAnswer, Verdict } from "../transport/transport.ts";
import { type Answer, MalformedAnswerError } from "../wire/decode.ts";
import { type Fate, fate } from "../wire/request_errors.ts";
import { statementError } from "../wire/sql_errors.ts";
import { accepted, type ExpectedAnswer, parse, READ_STRONG } from "./request.ts";

/** How much of a body that nobody expected goes into a message, in characters. */
const LONGEST_QUOTE = 300;

/** Judges the answer to a data request. */
export function judge(
  expected: ExpectedAnswer,
  answer: HttpAnswer,
): Verdict<Answer | typeof READ_STRONG> {
  const value = accepted(expected, answer);
  return value === undefined ? judgeRefusal(expected, answer) : { value };
}

/** Judges one that is not {@linkcode accepted}. */
export function judgeRefusal(
  expected: ExpectedAnswer,
  answer: HttpAnswer,
): Verdict<typeof READ_STRONG> {
  return refused(expected, answer, saidBy(answer));
}

function saidBy({ status, text }: HttpAnswer): string | undefined {
  return status === 200 ? parse(text)?.error : text;
}

/** What an answer to a write says that is none of a success. @param statements How many it has. */
export function refusedWrite(answer: HttpAnswer, statements: number): Failure {
  return failure(true, answer, saidBy(answer), statements);
}

/** Judges the answer to what is no data request and changes nothing; `read` throws where it is not what rqlite sends. */
export function judgeText<T>(answer: HttpAnswer, read: (text: string) => T): Verdict<T> {
  if (answer.status !== 200) return failure(false, answer, answer.text);
  try {
    return { value: read(answer.text) };
  } catch (error) {
    if (error instanceof MalformedAnswerError) return failure(false, answer, undefined);
    throw error;
  }
}

function refused(
  { write, linearizable, results }: ExpectedAnswer,
  answer: HttpAnswer,
  text: string | undefined,
): Verdict<typeof READ_STRONG> {
  if (linearizable && text !== undefined && fate(answer.status, text).next === "strong") {
    return { value: READ_STRONG };
  }
  return failure(write, answer, text, results);
}

/** `text` is what the server said; `undefined` if the answer is not what rqlite sends. */
function failure(
  write: boolean,
  answer: HttpAnswer,
  text: string | undefined,
  statements = 1,
): Failure {
  const { applied, next }: Fate = text === undefined
    ? { applied: "maybe", next: "elsewhere" }
    : fate(answer.status, text);
  const error = write && applied !== "no"
    // Of several, one behind those rows may have failed and ended the transaction.
    ? unknownOutcome(answer, text, applied === "yes" && statements === 1)
    : text === undefined
    ? new InternalError(`Cannot read the answer of ${answer.node}: ${quote(answer.text, answer)}`)
    : errorOf(answer, text, next !== "never");
  // The leader is asked next: of other nodes each may be as stale.
  if (error instanceof StaleReadError) return { error, applied, next: "never" };
  return { error, applied, next: next === "strong" ? "elsewhere" : next };
}

function unknownOutcome(
  answer: HttpAnswer,
  text: string | undefined,
  applied: boolean,
): RqliteError {
  const { status, node } = answer;
  const said = quote(text ?? answer.text, answer);
  const infinite = INFINITE.test(text ?? "") ? new DataError(NO_INFINITY) : undefined;
  if (applied && infinite) {
    return new DataError(`The write was applied, but what it returned is lost: ${NO_INFINITY}`);
  }
  const message = applied
    ? `The write was applied, but ${node} could not send its result: ${said}`
    : `Cannot tell whether the write was applied, as ${node} answered ${status} with ${said}`;
  return new OutcomeUnknownError(message, { status, node, ...(infinite && { cause: infinite }) });
}

/** Go's words for a REAL that JSON cannot hold; there is no other in SQLite. */
const INFINITE = /^json: error calling MarshalJSON .*unsupported value: [+-]Inf\s*$/;

const NO_INFINITY =
  "Cannot return Infinity, as the server cannot send it: select CAST(… AS TEXT) of it, which is 'Inf' or '-Inf'";

/** That a write gave rows with Infinity, and so has no answer. */
export function infinityIn(error: unknown): DataError | undefined {
  return error instanceof OutcomeUnknownError && error.cause instanceof DataError
    ? error.cause
    : undefined;
}

/** What a user needs for an endpoint, where that is not the endpoint's own name. */
const PERMISSIONS: Readonly<Record<string, string>> = {
  "/db/request": "query and execute",
  "/nodes": "status",
  "/readyz": "ready",
  "/boot": "load",
  "/reap": "snapshot",
  "/leader": "leader-ops",
};

/** rqlite says 401 and nothing else; what is known besides tells a password from a permission. */
function denial({ node, endpoint, user }: HttpAnswer, text: string): string {
  const permission = PERMISSIONS[endpoint] ?? endpoint.slice(endpoint.lastIndexOf("/") + 1);
  const where = `${endpoint} of ${node}`;
  if (user === "none") {
    return `Cannot use ${where} without a user: set \`username\` and \`password\``;
  }
  // In front of it, a node has let the user pass.
  if (user === "known" || /^remote .* not authorized/.test(text)) {
    return `Cannot use ${where} as the user lacks the permission ${permission}: others were granted with this password`;
  }
  return `Cannot use ${where}: the user name or the password is wrong, or the user lacks the permission ${permission}`;
}

/** The error for what a node or the cluster said about a whole request that changed nothing. */
function errorOf(answer: HttpAnswer, text: string, retryable: boolean): RqliteError {
  const { status, node, version } = answer;
  const init: OperationalErrorInit = { status, node, retryable };
  const said = quote(text, answer);
  if (status === 401) return new AuthenticationError(denial(answer, text), init);
  // Go's words for it, unless the reset behind them took them away; rqlite itself says its version and why.
  if (
    status === 400 && /^(?:Client sent an HTTP request to an HTTPS server|$)/.test(text) && !version
  ) {
    const message = `Cannot reach ${node}: it seems to speak TLS on this port, write https://`;
    return new ConnectionError(message, { ...init, retryable: false });
  }
  if (status === 404) {
    return new OperationalError(`${node} answered 404: is it rqlite's HTTP address?`, init);
  }
  if (INFINITE.test(text)) return new DataError(NO_INFINITY);
  if (text.includes("stale read")) {
    return new StaleReadError(`${node} is staler than \`freshness\` allows`, init);
  }
  if (status === 400) return new ProgrammingError(`${node} refused the request: ${said}`);
  if (text.includes("disallowed pragma")) {
    return new NotSupportedError(`${node} does not allow this PRAGMA`);
  }
  if (status === 200 && !retryable) return statementError(text, {});
  return new OperationalError(`${node} could not do it: ${said}`, init);
}

/** A body in a message, on one line and not too long; none that shows what the request's headers say. */
export function quote(text: string, { sent }: HttpAnswer): string {
  const line = text.trim();
  // Around letters and digits each form has its own escapes. What is shorter is no secret, nor is a scheme.
  const repeated = sent.flatMap((value) => [...value.split(/\s+/), ...value.split(/[^a-z\d]+/i)])
    .some((part) => part.length > 5 && part !== "Bearer" && line.includes(part));
  if (repeated) return "what repeats a header of the request";
  if (line === "") return "no text";
  return JSON.stringify(line.length > LONGEST_QUOTE ? line.slice(0, LONGEST_QUOTE) + "…" : line);
}
