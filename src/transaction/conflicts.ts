import { TransactionConflictError } from "../errors.ts";
import type { Op } from "./journal.ts";

const ADVICE = "so nothing of it was kept: run it again";

/** How much of a statement goes into a message, in characters. */
const LONGEST = 120;

/** A statement that does not answer, or do, what it did when it was tried. */
export function tableConflict(op: Op, text: string): TransactionConflictError {
  const { analysis } = op.kind === "read" ? op.check.read : op.prepared;
  const what = op.kind === "read" ? "What the transaction read" : "What the transaction relies on";
  return new TransactionConflictError(
    `${what} does not hold any more, ${ADVICE}. It is about ${shown(analysis.source)}`,
    { sql: analysis.source, cause: new Error(text) },
  );
}

/** Somebody wrote tables that the transaction's answers depend on. */
export function writtenConflict(
  ops: readonly Op[],
  scopes: readonly string[],
): TransactionConflictError {
  const [op] = ops;
  const sql = op === undefined
    ? undefined
    : (op.kind === "read" ? op.check.read : op.prepared).analysis.source;
  const tables = scopes.map((name) => name.replace(/!$/, "")).join(", ");
  return new TransactionConflictError(
    `Another client wrote to ${tables} or changed the schema while the transaction ran, ${ADVICE}` +
      (sql === undefined ? "" : `. It is about ${shown(sql)}`),
    { ...(sql !== undefined && { sql }) },
  );
}

/** The schema is another one than that by which the statements were made. */
export function schemaConflict(): TransactionConflictError {
  return new TransactionConflictError(
    `The schema was changed while the transaction ran, ${ADVICE}`,
  );
}

/** Reads that do not hold any more, in a transaction that only read. */
export function readConflict(): TransactionConflictError {
  return new TransactionConflictError(
    `What the transaction read does not hold any more, ${ADVICE}`,
  );
}

/** The conflict of the last of several runs. */
export function lastConflict(error: unknown, attempts: number): TransactionConflictError {
  const { message, sql, cause } = error as TransactionConflictError;
  return new TransactionConflictError(message, {
    attempts,
    cause: cause ?? error,
    ...(sql !== undefined && { sql }),
  });
}

function shown(sql: string): string {
  const line = sql.replace(/\s+/g, " ").trim();
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line;
}
