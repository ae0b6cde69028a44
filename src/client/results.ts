import {
  type DatabaseError,
  type DatabaseErrorInit,
  DataError,
  OutcomeUnknownError,
} from "../errors.ts";
import type { Analysis } from "../sql/analyse.ts";
import type { Prepared } from "../sql/prepare.ts";
import type { Result } from "../sql/value.ts";
import { statementError } from "../wire/sql_error.ts";
import type { Reply } from "./dispatch.ts";
import type { Settings } from "./options.ts";
import { changes } from "./route.ts";

/** What a statement that is nothing but blanks and comments answers, without a request. */
export function emptyResult(): Result {
  return { columns: [], types: [], rows: [], rowsAffected: 0, lastInsertId: undefined };
}

/**
 * The results of a reply, one for each statement.
 *
 * @param positions Where the statements stand in the caller's batch, which may hold empty ones between them.
 * @throws {DatabaseError} Of the first statement that failed, with the results before it.
 */
export function resultsOf(
  reply: Reply,
  statements: readonly Prepared[],
  settings: Settings,
  positions?: readonly number[],
): Result[] {
  const results: Result[] = [];
  for (const [i, prepared] of statements.entries()) {
    const where: DatabaseErrorInit = { sql: prepared.analysis.source, results };
    if (positions !== undefined) where.statementIndex = positions[i]!;
    results.push(resultOf(reply, i, prepared, settings, where));
  }
  return results;
}

function resultOf(
  { answer, first }: Reply,
  i: number,
  { analysis }: Prepared,
  settings: Settings,
  where: DatabaseErrorInit,
): Result {
  const error = answer.errorAt(first + i);
  if (error !== undefined) throw failure(error, analysis, where);
  if (answer.lost(first + i, analysis)) {
    throw new OutcomeUnknownError(
      "The write was applied, but the server overlooked its RETURNING clause and sent no rows: do not repeat it",
      where,
    );
  }
  try {
    const { rows, integers } = settings;
    // Rows have the type that the caller named with R and chose with `rows`.
    return answer.result(first + i, { analysis, rows, integers }) as Result;
  } catch (error) {
    if (!(error instanceof DataError) || !changes(analysis)) throw error;
    const message =
      `The write was applied, but a value that it returned does not fit: ${error.message}`;
    throw new DataError(message, {
      ...where,
      cause: error,
      ...(error.column && { column: error.column }),
    });
  }
}

function failure(text: string, { returning }: Analysis, where: DatabaseErrorInit): DatabaseError {
  // The one error that comes after the fact: the row is there, its date cannot be printed (rqlite-api §5.5).
  if (!returning || !text.startsWith("Time.MarshalText")) return statementError(text, where);
  return new OutcomeUnknownError(
    `The write may have been applied, but the server could not send its rows: ${text}`,
    where,
  );
}
