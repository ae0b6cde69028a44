import type { Statement } from "./body.ts";
import type { Connection } from "./connection.ts";
import { type ErrorOutcome, type Outcome, RequestFailed } from "./results.ts";
import {
  isReadOnly,
  type RunContext,
  type RunFlags,
  runForEffect,
  runForRows,
  StatementFailed,
} from "./run.ts";
import { SqliteError } from "./sqlite_error.ts";
import { isExplain, returnsRows } from "./statement_text.ts";

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

/** Where a list runs, and how. */
export interface ListContext extends RunContext {
  /** How it is run. */
  readonly flags: ListFlags;
}

/** Runs a list on the writing connection as /db/execute does. @throws {RequestFailed} */
export async function executeList(
  context: ListContext,
  statements: readonly Statement[],
): Promise<Outcome[]> {
  const { connection, flags: { rollbackOnError = false } } = context;
  return await transacted(context, BEGIN_WRITES, async (abort) => {
    const run = (statement: Statement) => attempt(false, () => execute(context, statement));
    return await each(context, statements, run, ({ kind }) => {
      if (kind !== "error") return false;
      if (rollbackOnError) rollBack(connection);
      return abort() || rollbackOnError;
    });
  });
}

/**
 * Runs a list on the reading connection as /db/query does; errors do not end it.
 *
 * @throws {RequestFailed} when the transaction fails
 */
export async function queryList(
  context: ListContext,
  statements: readonly Statement[],
): Promise<Outcome[]> {
  const run = (statement: Statement) => attempt(true, () => read(context, statement));
  return await transacted(context, "BEGIN", () => each(context, statements, run, () => false));
}

/** Runs a list on the writing connection as /db/request does. @throws {RequestFailed} */
export async function requestList(
  context: ListContext,
  statements: readonly Statement[],
): Promise<Outcome[]> {
  return await transacted(context, BEGIN_WRITES, async (abort) => {
    let compiles = true;
    const run = async (statement: Statement): Promise<Outcome> => {
      const readOnly = await attempt(false, () => isReadOnly(context, statement));
      compiles = typeof readOnly === "boolean";
      if (typeof readOnly !== "boolean") return readOnly;
      return readOnly
        ? await attempt(true, () => runForRows(context, statement))
        : await attempt(false, () => execute(context, statement));
    };
    // rqlite's own hole: what does not compile is reported, but does not end the transaction.
    return await each(context, statements, run, ({ kind }) => {
      return kind === "error" && compiles && abort();
    });
  });
}

/** Whether rqlite would answer a list of /db/request from the reading connection. */
export async function isReadOnlyList(
  context: ListContext,
  statements: readonly Statement[],
): Promise<boolean> {
  for (const statement of statements) {
    if (statement.sql === "") continue;
    const readOnly = await attempt(false, () => isReadOnly(context, statement));
    const explains = readOnly === false && !context.flags.noParse && isExplain(statement.sql);
    if (readOnly !== true && !explains) return false;
  }
  return true;
}

/** Runs statements one after the other, with time for timers in between, until one ends the list. */
async function each(
  { turn }: ListContext,
  statements: readonly Statement[],
  run: (statement: Statement) => Promise<Outcome>,
  ends: (outcome: Outcome) => boolean,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const statement of statements) {
    if (statement.sql === "") continue;
    await turn.rest();
    const outcome = await run(statement);
    outcomes.push(outcome);
    if (ends(outcome)) break;
  }
  return outcomes;
}

function execute(context: ListContext, statement: Statement): Promise<Outcome> {
  const { flags } = context;
  if (flags.noParse || !returnsRows(statement.sql)) return runForEffect(context, statement);
  return runForRows({ ...context, flags: { ...flags, qualifyColumns: false } }, statement);
}

async function read(context: ListContext, statement: Statement): Promise<Outcome> {
  try {
    return await runForRows(context, statement);
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
  context: ListContext,
  begin: string,
  action: (abort: () => boolean) => Promise<Outcome[]>,
): Promise<Outcome[]> {
  const { connection, flags } = context;
  if (!flags.transaction) return await action(() => false);
  const locked = await start(context, begin);
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
  { connection, turn }: ListContext,
  begin: string,
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
