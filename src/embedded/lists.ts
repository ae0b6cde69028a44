import { significantTokens } from "../sql/tokenize.ts";
import { isWord } from "../sql/words.ts";
import type { Statement } from "./body.ts";
import type { Connection } from "./connection.ts";
import { SqliteError } from "./sqlite_error.ts";
import { type Outcome, RequestFailed } from "./outcome.ts";
import { returnsRows } from "./returning.ts";
import { isReadOnly, type RunFlags, runForEffect, runForRows, StatementFailed } from "./run.ts";

/** How a list of statements is run. */
export interface ListFlags extends RunFlags {
  /** In one transaction. */
  readonly transaction: boolean;
  /** RETURNING is not looked for. */
  readonly noParse: boolean;
  /** A failing statement ends the list and whatever transaction is open. */
  readonly rollbackOnError?: boolean;
}

/** Runs a list on the writing connection as /db/execute does. @throws {RequestFailed} */
export function executeList(
  connection: Connection,
  statements: readonly Statement[],
  flags: ListFlags,
): Outcome[] {
  return transacted(connection, flags, (abort) => {
    const outcomes: Outcome[] = [];
    for (const statement of statements) {
      if (statement.sql === "") continue;
      const outcome = attempt(false, () => execute(connection, statement, flags));
      outcomes.push(outcome);
      if (outcome.kind !== "error") continue;
      if (flags.rollbackOnError) rollBack(connection);
      if (abort() || flags.rollbackOnError) break;
    }
    return outcomes;
  });
}

/** Runs a list on the reading connection as /db/query does; errors do not end it. @throws {RequestFailed} */
export function queryList(
  connection: Connection,
  statements: readonly Statement[],
  flags: ListFlags,
): Outcome[] {
  return transacted(connection, flags, () =>
    statements.filter(({ sql }) => sql !== "")
      .map((statement) => attempt(true, () => runForRows(connection, statement, flags))));
}

/** Runs a list on the writing connection as /db/request does. @throws {RequestFailed} */
export function requestList(
  connection: Connection,
  statements: readonly Statement[],
  flags: ListFlags,
): Outcome[] {
  return transacted(connection, flags, (abort) => {
    const outcomes: Outcome[] = [];
    for (const statement of statements) {
      if (statement.sql === "") continue;
      const readOnly = attempt(false, () => isReadOnly(connection, statement));
      // rqlite's own hole: what does not compile is reported, but does not end the transaction.
      if (typeof readOnly !== "boolean") {
        outcomes.push(readOnly);
        continue;
      }
      const outcome = readOnly
        ? attempt(true, () => runForRows(connection, statement, flags), true)
        : attempt(false, () => execute(connection, statement, flags));
      outcomes.push(outcome);
      if (outcome.kind === "error" && abort()) break;
    }
    return outcomes;
  });
}

/** Whether rqlite would answer a list of /db/request from the reading connection. */
export function isReadOnlyList(
  connection: Connection,
  statements: readonly Statement[],
  { noParse }: ListFlags,
): boolean {
  return statements.filter(({ sql }) => sql !== "").every((statement) => {
    const readOnly = attempt(false, () => isReadOnly(connection, statement));
    const explains = readOnly === false && !noParse && isExplain(statement.sql);
    return readOnly === true || explains;
  });
}

/** rqlite's own parser knows that an EXPLAIN changes nothing, which SQLite does not tell. */
function isExplain(sql: string): boolean {
  return /explain /i.test(sql) && isWord(sql, significantTokens(sql).tokens[0], "EXPLAIN");
}

function execute(connection: Connection, statement: Statement, flags: ListFlags): Outcome {
  const withRows = !flags.noParse && returnsRows(statement.sql);
  return (withRows ? runForRows : runForEffect)(connection, statement, {
    ...flags,
    qualifyColumns: false,
  });
}

function attempt<T>(asRows: boolean, action: () => T, rawReadOnly = false): T | Outcome {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof StatementFailed)) throw error;
    const message = error.readOnly && asRows && !rawReadOnly
      ? "attempt to change database via query operation"
      : error.message;
    return { kind: "error", message, asRows };
  }
}

/** Begins and commits when asked to; `abort` rolls back and tells whether there was something to abort. */
function transacted<T>(
  connection: Connection,
  { transaction }: ListFlags,
  action: (abort: () => boolean) => T,
): T {
  if (!transaction) return action(() => false);
  requireOk(() => connection.run("BEGIN"));
  let open = true;
  const results = action(() => {
    if (open) rollBack(connection);
    open = false;
    return true;
  });
  if (open) requireOk(() => commit(connection));
  return results;
}

function commit(connection: Connection): void {
  try {
    connection.run("COMMIT");
  } catch (error) {
    // A deferred foreign key leaves the transaction open.
    rollBack(connection);
    throw error;
  }
}

function rollBack(connection: Connection): void {
  try {
    connection.run("ROLLBACK");
  } catch {
    // SQLite has done so already.
  }
}

function requireOk(action: () => void): void {
  try {
    action();
  } catch (error) {
    if (error instanceof SqliteError) throw new RequestFailed(error.message);
    throw error;
  }
}
