import { ProgrammingError } from "../errors.ts";
import { type Analysis, changes, counterIn, strayCounter } from "../sql/analyse.ts";

/**
 * Refuses what is no query: reads are repeated freely, so they must be reads. What nobody can classify is let through.
 *
 * @throws {ProgrammingError} If it changes data.
 */
export function checkQuery(analysis: Analysis): void {
  const { kind, source, verb } = analysis;
  if (kind === "unknown" || !changes(analysis)) return;
  throw new ProgrammingError(
    `Cannot query with ${verb} as it changes the database: call execute() instead`,
    { sql: source },
  );
}

/**
 * Refuses what asks for another statement in a request of its own.
 *
 * @throws {NotSupportedError} If it calls `last_insert_rowid()` or `changes()`.
 */
export function checkAlone(analysis: Analysis): void {
  const asks = counterIn(analysis);
  if (asks !== undefined) throw strayCounter(asks, analysis);
}
