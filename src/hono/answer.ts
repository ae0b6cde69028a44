import {
  ConnectionError,
  IntegrityError,
  LockError,
  OutcomeUnknownError,
  type RqliteError,
  StaleReadError,
  TimeoutError,
  TransactionConflictError,
} from "../errors.ts";

/** Seconds after which a request may be sent again: an election takes less. */
const RETRY_AFTER = "2";

/** Constraints that other rows decide: the same request may be right at another time. */
const STATE: readonly string[] = ["unique", "primarykey", "foreignkey", "rowid"];

/** What is told to the outside: a status and a fixed text, never the error's own message. */
interface Told {
  readonly status: number;
  readonly text: string;
}

const UNAVAILABLE: Told = { status: 503, text: "The database is not available now" };
const FAILED: Told = { status: 500, text: "Internal Server Error" };

/** The answer to a request whose handler met `error`: JSON with a text and the code, without SQL, host or values. */
export function answerOf(error: RqliteError): Response {
  const { status, text } = told(error);
  const headers: Record<string, string> = status === 503 ? { "retry-after": RETRY_AFTER } : {};
  return Response.json({ error: text, code: error.code }, { status, headers });
}

function told(error: RqliteError): Told {
  if (error instanceof TransactionConflictError) {
    return { status: 409, text: "The data was changed by somebody else: try again" };
  }
  if (error instanceof IntegrityError) {
    return STATE.includes(error.constraint)
      ? { status: 409, text: "This conflicts with what is stored already" }
      : { status: 422, text: "The data is not valid" };
  }
  // Neither 503 nor 504, which invite to send the same again.
  if (error instanceof OutcomeUnknownError) {
    return {
      status: 500,
      text: "It is not known whether the change was made: look before you repeat it",
    };
  }
  if (error instanceof TimeoutError) return { status: 504, text: "The database took too long" };
  const passing = error instanceof ConnectionError || error instanceof StaleReadError ||
    error instanceof LockError || error.retryable;
  return passing ? UNAVAILABLE : FAILED;
}
