import type { Statement } from "./body.ts";
import type { Connection } from "./connection.ts";
import { type ErrorOutcome, type Outcome, RequestFailed } from "./results.ts";
import { isReadOnly, type RunFlags, runForEffect, runForRows, StatementFailed } from "./run.ts";
import { SqliteError } from "./sqlite_error.ts";
import { isExplain, returnsRows } from "./statement_text.ts";
import type { Turn } from "./turns.ts";

/** Takes the lock at once: a read that wants to write later may find that it comes too late. */
const BEGIN_WRITES = "BEGIN IMMEDIATE";

/** How a list of statements is run. */
export interface ListFlags extends RunFlags {
  /** Whether it is one transaction. */
  readonly transaction: boolean;
  /** Whether RETURNING is not looked for. */
  readonly noParse: boolean;
  /** Whether a failing statement ends the list and whatever transaction is open. */
  readonly rollbackOnError?: boolean;
}

/** Runs a list on the writing connection as /db/execute does. @throws {RequestFailed} */
export async function executeList(
  connection: Connection,
  statements: readonly Statement[],
  flags: ListFlags,
  turn: Turn,
): Promise<Outcome[]> {
  return await transacted(connection, BEGIN_WRITES, flags, turn, async (abort) => {
    const outcomes: Outcome[] = [];
    for (const statement of statements) {
      if (statement.sql === "") continue;
      await turn.rest();
      const outcome = await attempt(false, () => execute(connection, statement, flags, turn));
      outcomes.push(outcome);
      if (outcome.kind !== "error") continue;
      if (flags.rollbackOnError) rollBack(connection);
      if (abort() || flags.rollbackOnError) break;
    }
    return outcomes;
  });
}

/**
 * Runs a list on the reading connection as /db/query does; errors do not end it.
 *
 * @throws {RequestFailed} when the transaction fails
 */
export async function queryList(
  connection: Connection,
  statements: readonly Statement[],
  flags: ListFlags,
  turn: Turn,
): Promise<Outcome[]> {
  return await transacted(connection, "BEGIN", flags, turn, async () => {
    const outcomes: Outcome[] = [];
    for (const statement of statements) {
      if (statement.sql === "") continue;
      await turn.rest();
      outcomes.push(await attempt(true, () => read(connection, statement, flags, turn)));
    }
    return outcomes;
  });
}

/** Runs a list on the writing connection as /db/request does. @throws {RequestFailed} */
export async function requestList(
  connection: Connection,
  statements: readonly Statement[],
  flags: ListFlags,
  turn: Turn,
): Promise<Outcome[]> {
  return await transacted(connection, BEGIN_WRITES, flags, turn, async (abort) => {
    const outcomes: Outcome[] = [];
    for (const statement of statements) {
      if (statement.sql === "") continue;
      await turn.rest();
      const readOnly = await attempt(false, () => isReadOnly(connection, statement, turn));
      // rqlite's own hole: what does not compile is reported, but does not end the transaction.
      if (typeof readOnly !== "boolean") {
        outcomes.push(readOnly);
        continue;
      }
      const outcome = readOnly
        ? await attempt(true, () => runForRows(connection, statement, flags, turn))
        : await attempt(false, () => execute(connection, statement, flags, turn));
      outcomes.push(outcome);
      if (outcome.kind === "error" && abort()) break;
    }
    return outcomes;
  });
}

/** Whether rqlite would answer a list of /db/request from the reading connection. */
export async function isReadOnlyList(
  connection: Connection,
  statements: readonly Statement[],
  { noParse }: ListFlags,
  turn: Turn,
): Promise<boolean> {
  for (const statement of statements) {
    if (statement.sql === "") continue;
    const readOnly = await attempt(false, () => isReadOnly(connection, statement, turn));
    const explains = readOnly === false && !noParse && isExplain(statement.sql);
    if (readOnly !== true && !explains) return false;
  }
  return true;
}

function execute(
  connection: Connection,
  statement: Statement,
  flags: ListFlags,
  turn: Turn,
): Promise<Outcome> {
  const withRows = !flags.noParse && returnsRows(statement.sql);
  const run = withRows ? runForRows : runForEffect;
  return run(connection, statement, { ...flags, qualifyColumns: false }, turn);
}

async function read(
  connection: Connection,
  statement: Statement,
  flags: ListFlags,
  turn: Turn,
): Promise<Outcome> {
  try {
    return await runForRows(connection, statement, flags, turn);
  } catch (error) {
    if (!(error instanceof StatementFailed) || !error.readOnly) throw error;
    throw new StatementFailed("attempt to change database via query operation");
  }
}

async function attempt<T>(asRows: boolean, action: () => Promise<T>): Promise<T | ErrorOutcome> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof StatementFailed)) throw error;
    return { kind: "error", message: error.message, asRows };
  }
}

/** Begins and commits when asked to; `abort` rolls back and tells whether it had to. */
async function transacted(
  connection: Connection,
  begin: string,
  { transaction }: ListFlags,
  turn: Turn,
  action: (abort: () => boolean) => Promise<Outcome[]>,
): Promise<Outcome[]> {
  if (!transaction) return await action(() => false);
  const locked = await start(connection, begin, turn);
  if (locked !== undefined) return [locked];
  let open = true;
  const abort = (): boolean => {
    if (open) rollBack(connection);
    open = false;
    return true;
  };
  try {
    const outcomes = await action(abort);
    if (open) requireOk(() => connection.run("COMMIT"));
    return outcomes;
  } catch (error) {
    // Also after a COMMIT that failed: a deferred foreign key leaves the transaction open.
    abort();
    throw error;
  }
}

/** Begins; when somebody else keeps the file, that is the error of the first statement. */
async function start(
  connection: Connection,
  begin: string,
  turn: Turn,
): Promise<ErrorOutcome | undefined> {
  try {
    await turn.whenFree(connection, () => connection.run(begin));
    return undefined;
  } catch (error) {
    if (!(error instanceof SqliteError)) throw error;
    if (!error.busy) throw new RequestFailed(error.message);
    return { kind: "error", message: error.message, asRows: false };
  }
}

function rollBack(connection: Connection): void {
  try {
    connection.run("ROLLBACK");
  } catch {
    // SQLite has done so already.
  }
}

function requireOk<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof SqliteError) throw new RequestFailed(error.message);
    throw error;
  }
}
