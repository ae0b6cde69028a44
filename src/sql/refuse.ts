import { NotSupportedError, ProgrammingError } from "../errors.ts";
import type { Analysis } from "./analyse.ts";

/**
 * They change what every later statement on the node's connection does; both `= value` and
 * `(value)`.
 */
const harmful: ReadonlySet<string> = new Set([
  "journal_mode",
  "locking_mode",
  "query_only",
  "synchronous",
  "wal_autocheckpoint",
  "wal_checkpoint",
  "writable_schema",
]);

/**
 * The error of a statement that must never be sent, because it would hurt the node, other clients
 * or the transaction around it. A statement without content is not refused: the caller answers it.
 *
 * @param statementIndex Its position in the batch.
 *
 * @example
 * ```ts
 * import { analyse } from "./analyse.ts";
 * import { refuse } from "./refuse.ts";
 * refuse(analyse("COMMIT"))?.message;
 * // "Cannot send COMMIT as requests share one connection per node: send the statements together with batch()"
 * ```
 */
export function refuse(
  analysis: Analysis,
  statementIndex?: number,
): ProgrammingError | NotSupportedError | undefined {
  const init = {
    sql: analysis.source,
    ...(statementIndex === undefined ? {} : { statementIndex }),
  };
  const wrong = mistake(analysis);
  if (wrong !== undefined) return new ProgrammingError(wrong, init);
  const harm = unsupported(analysis);
  return harm === undefined ? undefined : new NotSupportedError(harm, init);
}

function mistake({ problem, statements, kind, verb }: Analysis): string | undefined {
  if (problem !== undefined) return `Cannot send the statement as ${problem}`;
  if (statements > 1) {
    return `Cannot send ${statements} statements in one string as a node would run only ` +
      "some of them: send them one by one or with batch()";
  }
  if (kind === "control") {
    return `Cannot send ${verb} as requests share one connection per node: ` +
      "send the statements together with batch()";
  }
  return undefined;
}

function unsupported({ orRollback, verb, pragma }: Analysis): string | undefined {
  if (orRollback) {
    return `Cannot send ${verb} OR ROLLBACK as it would end the transaction of the whole ` +
      `request: use ${verb} OR ABORT`;
  }
  if (verb === "ATTACH" || verb === "DETACH") {
    return `Cannot send ${verb} as the attached file would exist on one node only: ` +
      "open a client for each database";
  }
  if (pragma !== undefined && pragma.writes && harmful.has(pragma.name)) {
    return `Cannot send PRAGMA ${pragma.name} as it would change the node for all its clients: ` +
      "set it where the node is started";
  }
  return undefined;
}
