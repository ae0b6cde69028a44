import {
  type DatabaseError,
  type DatabaseErrorInit,
  DataError,
  NotSupportedError,
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

/** Where results come from. */
export interface ResultsOrigin {
  /** Where the statements stand in the caller's batch, which may hold empty ones between them. */
  readonly positions?: readonly number[] | undefined;
  /** The statements were only tried: nothing of them was applied. @default {false} */
  readonly tried?: boolean;
}

/**
 * The results of a reply, one for each statement.
 *
 * @throws {DatabaseError} Of the first statement that failed, with the results before it.
 */
export function resultsOf(
  reply: Reply,
  statements: readonly Prepared[],
  settings: Settings,
  { positions, tried = false }: ResultsOrigin = {},
): Result[] {
  const results: Result[] = [];
  const placeOf = (i: number): DatabaseErrorInit => ({
    sql: statements[i]!.analysis.source,
    results,
    ...(positions !== undefined && { statementIndex: positions[i]! }),
  });
  const failed = firstError(reply, statements);
  try {
    const end = failed < 0 ? statements.length : failed;
    for (const [i, statement] of statements.slice(0, end).entries()) {
      // Savepoints are this client's own: callers cannot send them.
      if (statement.analysis.kind === "control") continue;
      results.push(resultOf(reply, i, statement, settings, tried));
    }
  } catch (error) {
    // What failed in the database decides whether anything was kept, not what cannot be read of it.
    if (failed < 0) throw unreadable(error, tried ? [] : statements, placeOf(results.length));
  }
  if (failed < 0) return results;
  const { answer, first } = reply;
  throw failure(answer.errorAt(first + failed)!, statements[failed]!.analysis, placeOf(failed));
}

/** The position of the first statement that failed; -1 if none did. */
export function firstError({ answer, first }: Reply, statements: readonly Prepared[]): number {
  return statements.findIndex((_, i) =>
    first + i < answer.length && answer.errorAt(first + i) !== undefined
  );
}

function resultOf(
  { answer, first }: Reply,
  i: number,
  { analysis }: Prepared,
  { rows, integers }: Settings,
  tried: boolean,
): Result {
  if (answer.lost(first + i, analysis)) {
    if (tried) throw new NotSupportedError(OVERLOOKED);
    throw new OutcomeUnknownError(
      "The write was applied, but the server overlooked its RETURNING clause and sent no rows: do not repeat it",
    );
  }
  // Rows have the type that the caller named with R and chose with `rows`.
  return answer.result(first + i, { analysis, rows, integers, exact: true }) as Result;
}

const OVERLOOKED =
  "The server overlooked the RETURNING clause and sent no rows, so nothing was kept: leave `returningRewrite` on";

/** The error for a result that is there and cannot be given to the caller. */
function unreadable(
  error: unknown,
  statements: readonly Prepared[],
  where: DatabaseErrorInit,
): unknown {
  if (error instanceof OutcomeUnknownError) return new OutcomeUnknownError(error.message, where);
  if (error instanceof NotSupportedError) return new NotSupportedError(error.message, where);
  if (!(error instanceof DataError)) return error;
  const applied = statements.some(({ analysis }) => changes(analysis));
  const prefix = statements.length > 1 ? "The batch was applied" : "The write was applied";
  const message = applied
    ? `${prefix}, but a value that it returned does not fit: ${error.message}`
    : error.message;
  return new DataError(message, {
    ...where,
    cause: error,
    ...(error.column !== undefined && { column: error.column }),
  });
}

function failure(text: string, { returning }: Analysis, where: DatabaseErrorInit): DatabaseError {
  // The one error that comes after the fact: the row is there, its date cannot be printed (rqlite-api §5.5).
  if (!returning || !text.startsWith("Time.MarshalText")) return statementError(text, where);
  return new OutcomeUnknownError(
    `The write may have been applied, but the server could not send its rows: ${text}`,
    where,
  );
}
