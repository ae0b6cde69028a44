/**
 * What is said of writes that did not simply succeed.
 *
 * @module
 */

import { emptyResult } from "../calls/read_results.ts";
import { resultsOf } from "../calls/results.ts";
import { changes } from "../calls/read_only.ts";
import { DataError, OperationalError, OutcomeUnknownError, ProgrammingError } from "../errors.ts";
import type { Result } from "../sql/value.ts";
import { type ChosenId, type Ending, notEntered } from "./commits.ts";
import type { Form, Write } from "./write.ts";

/** The result of a write that took effect before. */
export function withoutResult(): Result {
  return { ...emptyResult(), rowsAffected: -1 };
}

/** The results of a write that took effect by a copy whose answer is lost. */
export function lost({ statements }: Write, infinity?: DataError): Result[] {
  const rows = statements.find(({ analysis }) => analysis.returning || !changes(analysis));
  if (rows === undefined) return statements.map(withoutResult);
  const reason = infinity === undefined
    ? "the answer with its rows was lost: do not repeat it"
    : `what it returned is lost: ${infinity.message}`;
  throw new DataError(`The write was applied, but ${reason}`, { sql: rows.analysis.source });
}

/** Why a statement refused the commit; the empty result of one that did nothing where servers cannot tell the two. */
export function refusal(
  { statements, positions, call }: Write,
  { before }: Form,
  { entry, text, reply }: Ending & { is: "refused" },
): Error | Result {
  if (entry < 0) return notEntered(text);
  try {
    const own = { ...reply, first: reply.first + before };
    const result = resultsOf(own, statements, call.settings, { positions })[0]!;
    return result.rows.length === 0 ? result : notEntered(text);
  } catch (error) {
    return error as Error;
  }
}

/** What is to be said of an id that the caller chose and that is used already; nothing where it is the same call. */
export const CHOSEN: Record<"repeated" | "reused" | "spent", (id: ChosenId) => Error | undefined> =
  {
    repeated: () => undefined,
    reused: ({ id: { id } }) =>
      new ProgrammingError(
        `Cannot apply the write as its id ${
          JSON.stringify(id)
        } was used for another statement or other values, or by an old client that did not keep which: use a new id`,
      ),
    spent: ({ id: { id } }) =>
      new OperationalError(
        `Cannot apply the write as its id ${
          JSON.stringify(id)
        } is spent: it failed before, or outcome() was asked for it. ` +
          "It was not applied; use a new id",
      ),
  };

/** The error of a write of which the server could not tell what became of it, and that is fenced off now. */
export function notApplied(cause: OutcomeUnknownError): OperationalError {
  return new OperationalError(
    "The write was not applied, and no copy of it can take effect any more: the server failed at its rows",
    { cause },
  );
}

/** The same error, with the id to ask for. */
export function withId(error: OutcomeUnknownError, id: string): OutcomeUnknownError {
  const { message, sql, statementIndex, cause } = error;
  return new OutcomeUnknownError(message, {
    id,
    cause,
    ...(sql !== undefined && { sql }),
    ...(statementIndex !== undefined && { statementIndex }),
  });
}

/** The error of a commit whose id was fenced off by somebody else. */
export function fencedOff(what: "write" | "transaction"): OperationalError {
  return new OperationalError(
    `The ${what} was not applied, as somebody asked for the outcome of its id before it was committed`,
    { retryable: true },
  );
}

/** The error where the schema never stands still. */
export function restless(): OperationalError {
  return new OperationalError("The schema changed again and again while the write was sent", {
    retryable: true,
  });
}
