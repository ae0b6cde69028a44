import { type DatabaseError, type DatabaseErrorInit, OutcomeUnknownError } from "../errors.ts";
import type { Prepared } from "../sql/prepare.ts";
import type { Result } from "../sql/value.ts";
import { statementError } from "../wire/sql_errors.ts";
import type { Reply } from "./request.ts";
import type { Settings } from "./settings.ts";
import { firstError, placeOf, readResults, type ResultsOrigin } from "./read_results.ts";

/**
 * The results of a reply, one for each statement.
 *
 * @throws {DatabaseError} Of the first statement that failed, with the results before it.
 */
export function resultsOf(
  reply: Reply,
  statements: readonly Prepared[],
  settings: Settings,
  origin: ResultsOrigin = {},
): Result[] {
  const failed = firstError(reply, statements);
  const results = readResults(reply, statements, settings, failed, origin);
  if (failed < 0) return results;
  const where = placeOf(failed, statements, origin.positions, results);
  const text = reply.answer.errorAt(reply.first + failed) ?? "";
  throw failure(text, statements[failed]?.analysis.returning ?? false, where);
}

function failure(text: string, returning: boolean, where: DatabaseErrorInit): DatabaseError {
  // The one error that comes after the fact: the row is there, its date cannot be printed.
  if (!returning || !text.startsWith("Time.MarshalText")) return statementError(text, where);
  return new OutcomeUnknownError(
    `The write may have been applied, but the server could not send its rows: ${text}`,
    where,
  );
}
