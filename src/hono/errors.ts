import {
  ConnectionError,
  IntegrityError,
  LockError,
  OutcomeUnknownError,
  RqliteError,
  StaleReadError,
  TimeoutError,
  TransactionConflictError,
} from "../errors.ts";
import { causesOf } from "../transaction/error_causes.ts";

/**
 * The transaction of a request conflicted with another client's: nothing was kept, and the same request may succeed when
 * it is sent again. It answers 409 by itself, as Hono's `HTTPException` does.
 *
 * @example
 * ```ts
 * import { RequestConflictError } from "@tangled/rqlite/hono";
 * import { Hono } from "hono";
 *
 * const app = new Hono();
 * app.onError((error, c) => {
 *   if (!(error instanceof RequestConflictError)) throw error;
 *   return c.text(`Somebody was faster, ${error.attempts} times`, 409);
 * });
 * ```
 */
export class RequestConflictError extends TransactionConflictError {
  /** "RequestConflictError". */
  override name = "RequestConflictError";
  /** 409. */
  override readonly status = 409;

  /**
   * Makes an error.
   *
   * @param conflict What the transaction met.
   */
  constructor(conflict: TransactionConflictError) {
    const { message, attempts, node, sql } = conflict;
    super(message, {
      cause: conflict,
      attempts,
      status: 409,
      ...(node !== undefined && { node }),
      ...(sql !== undefined && { sql }),
    });
  }

  /** The answer; Hono's own error handler asks for it, from 4.5 on. */
  getResponse(): Response {
    return responseTo(this);
  }
}

// As errors.ts does with its classes: so it is one of this class to every copy of the package.
Object.defineProperty(RequestConflictError.prototype, Symbol.for("@tangled/rqlite.error"), {
  value: "RequestConflictError",
});

/** Runs a part of a request; a conflict becomes one that answers 409. */
export async function withRequestConflict<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof TransactionConflictError)) throw error;
    throw error instanceof RequestConflictError ? error : new RequestConflictError(error);
  }
}

/**
 * Answers what the database did to a request, for Hono's `app.onError`: with a fitting status and a JSON body of a fixed
 * text and the error's `code`, never with SQL, values or hosts.
 *
 * | error                                                     | status                          |
 * | --------------------------------------------------------- | ------------------------------- |
 * | a conflict                                                | 409                             |
 * | a constraint: unique, primary key, foreign key            | 409                             |
 * | a constraint: NOT NULL, CHECK, a type, a trigger          | 422                             |
 * | time is up                                                | 504                             |
 * | nobody reached, no leader, a stale node, a lock           | 503 with `Retry-After`          |
 * | the outcome is unknown                                    | 500: do not send it again blind |
 * | anything else, such as SQL that does not compile          | 500                             |
 *
 * What another error has as its `cause` counts, too, however deep, as ORMs wrap errors into their own, and what Prisma has
 * in its `meta`: the outermost that this table or Hono knows decides. Any other error is answered as Hono's own handler
 * does: an `HTTPException` by itself, the rest with 500. What is answered with 500 is logged by `console.error`, as nobody
 * is told what it was.
 *
 * @param error What was thrown.
 * @param c The context: a request that its sender gave up is answered 499, which nobody reads, and not logged.
 *
 * @example
 * ```ts
 * import { IntegrityError } from "@tangled/rqlite";
 * import { onRqliteError } from "@tangled/rqlite/hono";
 * import { Hono } from "hono";
 *
 * const app = new Hono();
 * app.onError((error, c) => {
 *   if (error instanceof IntegrityError) return c.json({ taken: error.columns }, 409);
 *   return onRqliteError(error, c);
 * });
 * ```
 */
export function onRqliteError(
  error: Error,
  c?: { readonly req: { readonly raw: Request } },
): Response {
  const signal = c?.req.raw.signal as AbortSignal | undefined;
  for (const one of causesOf(error)) {
    if (one instanceof RqliteError) return logged(error, responseTo(one));
    if (answersItself(one)) return one.getResponse();
    if (signal?.aborted && signal.reason === one) return new Response(null, { status: 499 });
  }
  return logged(error, new Response("Internal Server Error", { status: 500 }));
}

function answersItself(error: unknown): error is Error & { getResponse(): Response } {
  return error instanceof Error && "getResponse" in error &&
    typeof error.getResponse === "function";
}

function logged(error: Error, answer: Response): Response {
  // It takes the place of Hono's own handler, which does the same: an error that nobody sees is nobody's.
  // deno-lint-ignore no-console
  if (answer.status === 500) console.error(error);
  return answer;
}

/** Seconds after which a request may be sent again: an election takes less. */
const RETRY_AFTER = "2";

/** Constraints that other rows decide: the same request may be right at another time. */
const DECIDED_BY_ROWS: readonly string[] = ["unique", "primarykey", "foreignkey", "rowid"];

/** What the outside sees of an error: a status and a fixed text, never the error's own message. */
interface Answer {
  readonly status: number;
  readonly text: string;
}

const UNAVAILABLE: Answer = { status: 503, text: "The database is not available now" };
const FAILED: Answer = { status: 500, text: "Internal Server Error" };

/** The answer to a request whose handler met `error`: JSON with a text and the code, without SQL, host or values. */
function responseTo(error: RqliteError): Response {
  const { status, text } = answerFor(error);
  const headers: Record<string, string> = status === 503 ? { "retry-after": RETRY_AFTER } : {};
  return Response.json({ error: text, code: error.code }, { status, headers });
}

function answerFor(error: RqliteError): Answer {
  if (error instanceof TransactionConflictError) {
    return { status: 409, text: "The data was changed by somebody else: try again" };
  }
  if (error instanceof IntegrityError) {
    return DECIDED_BY_ROWS.includes(error.constraint)
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
