import { ProgrammingError } from "../errors.ts";
import type { Analysis } from "../sql/analyse.ts";

/** Whether a statement goes into the log; what nobody can classify is taken for a write, so that it is never repeated. */
export function changes({ kind, pragma }: Analysis): boolean {
  switch (kind) {
    case "read":
    case "explain":
    case "empty":
      return false;
    case "pragma":
      return pragma?.writes ?? true;
    default:
      return true;
  }
}

/** The error for a `query` of something that changes data: reads are repeated freely, so they must be reads. */
export function notAQuery({ source, verb }: Analysis): ProgrammingError {
  return new ProgrammingError(
    `Cannot query with ${verb} as it changes the database: call execute() instead`,
    { sql: source },
  );
}
