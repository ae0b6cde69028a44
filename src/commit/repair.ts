// Making the log of commits and mending it: where there is none, where it is that of an older client, and where it came with
// a loaded database. Such a one is *sealed*: no commit compiles, so nothing that was on its way to the database before can
// be applied to this one. Whoever meets it first makes the table anew, in a range of numbers behind all that were handed
// out. The ids that the file has stay known; of any other it is certain that it did not take effect in what is there now,
// unless its row may have been pruned in the file. See `docs/internals/commits.md`.

import type { CallContext } from "../calls/call_context.ts";
import type { Dispatcher } from "../calls/dispatch.ts";
import {
  AuthenticationError,
  NotSupportedError,
  OperationalError,
  OutcomeUnknownError,
} from "../errors.ts";
import type { Prepared } from "../sql/prepare.ts";
import {
  align,
  CREATE_TABLE,
  creation,
  creationScript,
  SEALED_STATE,
  upgrade,
} from "./log_table.ts";
import { own, ownBatch } from "./own_statements.ts";
import { isOfStructure } from "./proof.ts";

/** By so much a new range lies behind what a client knows to be in use. */
const STEP = 2 ** 20;

/** By so much it lies behind what the file has, as its own cluster may have gone on since. */
const FAR_STEP = 2 ** 32;

/** How the table is called until the new one is made. */
const BEFORE = "_rqlite_before";

/** In the id of the first row of a range that began with a load: its `n` before it, the floor of the file's ids behind it. */
const MARK = ".load.";

/** Behind a load, that of the file that was loaded then still holds. An empty table has none, as all may be pruned. */
const FLOOR =
  `SELECT CASE WHEN id GLOB n || '${MARK}[0-9]*' THEN CAST(substr(id, length(n || '${MARK}') + 1) AS INTEGER)
  ELSE n - 1 END FROM ${BEFORE} ORDER BY n LIMIT 1`;

/** The other tables in which a loaded database has numbers that only grow. */
const COUNTED: readonly string[] = ["_rqlite_version", "_rqlite_lock"];

/** Asks for what has to be done. */
export function askForSeal(): Prepared {
  const names = COUNTED.map((name) => `'${name}'`).join(", ");
  return own(
    "SELECT (SELECT group_concat(name) FROM temp.pragma_table_info('_rqlite_commit')), " +
      `(SELECT group_concat(name) FROM sqlite_schema WHERE type = 'table' AND name IN (${names}))`,
  );
}

/** A table with a seal. */
export interface Sealed {
  /** The table has hashes, as that of an older client has not. */
  readonly hashed: boolean;
  /** Tables with versions. */
  readonly counted: readonly string[];
}

/** Reads the row of {@linkcode askForSeal}: "whole" if nothing has to be done, `undefined` if there is another reason. */
export function sealIn([columns, tables]: readonly unknown[]): Sealed | "whole" | undefined {
  const names = String(columns).split(",");
  if (!names.includes(SEALED_STATE)) return names.includes("wrote") ? "whole" : undefined;
  return {
    hashed: names.includes("hash"),
    counted: String(tables ?? "").split(",").filter(Boolean),
  };
}

/**
 * Takes the seal away, all at once: a second copy does not compile.
 *
 * @param base The highest that is known to have been handed out.
 */
export function unsealing({ hashed, counted }: Sealed, now: number, base: number): Prepared[] {
  return [
    own(`CREATE TABLE ${BEFORE}(n INTEGER PRIMARY KEY, id, state, hash)`),
    own(
      `INSERT INTO ${BEFORE} SELECT n, id, ${SEALED_STATE}, ${
        hashed ? "hash" : "NULL"
      } FROM _rqlite_commit`,
    ),
    own("DROP TABLE _rqlite_commit"),
    own(CREATE_TABLE),
    own(
      `INSERT INTO _rqlite_commit(n, id, state) SELECT n, n || '${MARK}' || coalesce(floor, n), 0
  FROM (SELECT max(?, coalesce(max(n), 0) + ${FAR_STEP}) AS n, (${FLOOR}) AS floor FROM ${BEFORE})`,
      startOf(now, base),
    ),
    own(
      `INSERT INTO _rqlite_commit(n, id, state, hash)
  SELECT (SELECT max(n) FROM _rqlite_commit) + row_number() OVER (ORDER BY n), id, state, hash FROM ${BEFORE}
  ORDER BY n`,
    ),
    own(`DROP TABLE ${BEFORE}`),
    // The range grows by more than any of them does, and so they do by any number of loads of one file.
    ...counted.map((name) =>
      own(`UPDATE ${name} SET version = max(version, (SELECT min(n) FROM _rqlite_commit))`)
    ),
  ];
}

/** The log of commits for a database that came without one: nothing that was on its way is in it. */
export function beginning(now: number, base: number): Prepared[] {
  const start = startOf(now, base);
  return [
    own(CREATE_TABLE),
    own(
      `INSERT INTO _rqlite_commit(n, id, state) SELECT column1, column2, 0
  FROM (VALUES (?1, ?1 || '${MARK}0'), (?1 + 1, '0.start'))
  WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = '_rqlite_commit')`,
      start,
    ),
  ];
}

function startOf(now: number, base: number): number {
  return Math.max(now * 1024, base + STEP);
}

/** Asks for the first row of the range. */
export function readFirstRow(): Prepared {
  return own("SELECT n, id FROM _rqlite_commit ORDER BY n LIMIT 1");
}

/**
 * Whether an id that is not in the table can only have taken effect in a database that is not there any more.
 *
 * @param row What {@linkcode readFirstRow} answers.
 * @param base Of the id.
 */
export function isOfBefore([n, id]: readonly unknown[], base: number): boolean {
  const mark = n + MARK;
  return String(id).startsWith(mark) && base >= Number(String(id).slice(mark.length));
}

/**
 * Makes the table where there is none.
 *
 * @param seen The highest base that was seen so far.
 */
export async function createTable(
  dispatcher: Dispatcher,
  call: CallContext,
  seen: number,
): Promise<void> {
  const text = await change(dispatcher, call, creation(Date.now(), seen));
  if (text === undefined) return;
  throw isOfStructure(text) ? unusable(text) : new NotSupportedError(advice(text));
}

/** Gives the table of an older client what it lacks, and all nodes the same sequence. @param base As far as it is known. */
export async function upgradeTable(
  dispatcher: Dispatcher,
  call: CallContext,
  base: number,
): Promise<void> {
  // Beyond the numbers that any node has, so that one that is ahead agrees, too.
  await change(dispatcher, call, [...upgrade(), align(base + STEP)], false);
}

/** Changes the table; answers why the last statement failed, if it did. */
export async function change(
  dispatcher: Dispatcher,
  call: CallContext,
  statements: readonly Prepared[],
  transaction = true,
): Promise<string | undefined> {
  try {
    const { answer } = await dispatcher.commit(ownBatch(statements, call, transaction));
    return answer.errorAt(answer.length - 1);
  } catch (error) {
    if (error instanceof AuthenticationError || error instanceof NotSupportedError) {
      throw new AuthenticationError(advice(error.message), { cause: error });
    }
    if (!(error instanceof OutcomeUnknownError)) throw error;
    throw new OperationalError(
      "The write was not applied, as the table that commits need could not be made in time",
      { retryable: true, cause: error },
    );
  }
}

/** The error where somebody else keeps dropping the table. */
export function missing(): OperationalError {
  return new OperationalError(
    "The table _rqlite_commit is missing although it was just made: did somebody drop it?",
  );
}

/** The error where the table does not take ids. */
export function unusable(text: string): OperationalError {
  return new OperationalError(
    `Cannot enter the write in the table _rqlite_commit, so it was not applied: ${text}. ` +
      "This client keeps that table for itself: a table or trigger of yours must not have its name",
  );
}

function advice(reason: string): string {
  return `Cannot create the table that commits need (${reason}). ` +
    `Let an account that may do so run:\n${creationScript(Date.now())}`;
}
