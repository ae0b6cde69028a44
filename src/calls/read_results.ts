import {
  type DatabaseErrorInit,
  DataError,
  NotSupportedError,
  OutcomeUnknownError,
} from "../errors.ts";
import type { Prepared } from "../sql/prepare.ts";
import type { Result } from "../sql/value.ts";
import type { Reply } from "./request.ts";
import type { Settings } from "./settings.ts";
import { changes } from "../sql/analyse.ts";

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

/** What an error of a statement in a reply carries. @param results Those in front of it. */
export function placeOf(
  i: number,
  statements: readonly Prepared[],
  positions: readonly number[] | undefined,
  results: readonly Result[],
): DatabaseErrorInit {
  return {
    sql: statements[i]!.analysis.source,
    results,
    ...(positions !== undefined && { statementIndex: positions[i]! }),
  };
}

/**
 * The results of a reply in front of the statement that failed, one for each, as far as they can be read; else of all.
 *
 * @param failed Its position; -1 if none did.
 * @throws {DatabaseError} Where none failed, of the first result that cannot be read.
 */
export function readResults(
  reply: Reply,
  statements: readonly Prepared[],
  settings: Settings,
  failed: number,
  { positions, tried = false }: ResultsOrigin,
): Result[] {
  const results: Result[] = [];
  try {
    const end = failed < 0 ? statements.length : failed;
    for (let i = 0; i < end; i++) {
      const statement = statements[i]!;
      // Savepoints are this client's own: callers cannot send them.
      if (statement.analysis.kind === "control") continue;
      results.push(resultOf(reply, i, statement, settings, tried));
    }
  } catch (error) {
    // What failed in the database decides whether anything was kept, not what cannot be read of it.
    if (failed >= 0) return results;
    const where = placeOf(results.length, statements, positions, results);
    throw unreadable(error, tried ? [] : statements, where);
  }
  return results;
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
