import { NotSupportedError, ProgrammingError } from "../errors.ts";
import type { Analysis, Foreign } from "./analyse.ts";
import type { Pragma } from "./classify.ts";

/** What else does what a setting is for. */
const instead: ReadonlyMap<string, string> = new Map([
  ["foreign_keys", "start rqlited with -fk or without, the embedded engine with `foreignKeys`"],
  ["ignore_check_constraints", "leave the constraint out of the table"],
  ["case_sensitive_like", "use GLOB"],
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
      "some of them: send them one by one, with batch() or with script()";
  }
  if (kind === "control") {
    return `Cannot send ${verb} as requests share one connection per node: ` +
      "send the statements together with batch()";
  }
  return undefined;
}

function unsupported(analysis: Analysis): string | undefined {
  const { or, verb, pragma, foreign } = analysis;
  if (or === "ROLLBACK") {
    return `Cannot send ${verb} OR ROLLBACK as it would end the transaction of the whole ` +
      `request: use ${verb} OR ABORT`;
  }
  if (or === "FAIL") {
    return `Cannot send ${verb} OR FAIL as the rows in front of the failing one would be kept though the write ` +
      `is reported as not applied: use ${verb} OR ABORT`;
  }
  if (verb === "ATTACH" || verb === "DETACH") {
    return `Cannot send ${verb} as the attached file would exist on one node only: ` +
      "open a client for each database";
  }
  if (foreign !== undefined) return `Cannot send ${verb} ${FOREIGN[foreign]}`;
  return pragma === undefined ? undefined : refusedPragma(analysis, pragma);
}

const FOREIGN: Readonly<Record<Foreign, string>> = {
  temporary:
    "of something temporary as it would stay on the connection that all clients share, in front of what " +
    "has its name, until the node is started again: use an ordinary table",
  schema:
    "into another schema than main as nodes have nothing else in common: open a client for each database",
  file:
    "of another schema, or into a file, as that would be the node's own: read a backup from the node",
};

function refusedPragma({ kind }: Analysis, { name, writes, place }: Pragma): string | undefined {
  if (place === "nowhere") {
    return `Cannot send PRAGMA ${name} as it would change the node for all its clients: ` +
      (instead.get(name) ?? "set it where the node is started");
  }
  return kind === "explain" && writes
    ? `Cannot explain PRAGMA ${name} as that runs it: leave EXPLAIN out`
    : undefined;
}
