import type { BatchOptions } from "../calls/executor.ts";
import { tokensOf } from "../sql/analyse.ts";
import { NotSupportedError } from "../errors.ts";
import { COMMIT_TABLE, isOwnTable } from "../sql/own_tables.ts";
import type { Prepared } from "../sql/prepare.ts";
import { refuseStrayCounters } from "./counters.ts";
import type { Write } from "./write.ts";

/**
 * What of the options decides how a write is sent.
 *
 * @throws {TypeError} If they exclude each other.
 */
export function checked({ id, exactlyOnce, atomic = true }: BatchOptions): BatchOptions {
  if (id !== undefined && exactlyOnce === false) {
    throw new TypeError(
      "Cannot use `id` with `exactlyOnce: false`: an id is what makes it exactly-once",
    );
  }
  if (!atomic && (id !== undefined || exactlyOnce === true)) {
    throw new TypeError(
      "Cannot make a batch exactly-once with `atomic: false`, as each statement stands for itself: leave one of them out",
    );
  }
  return { id, exactlyOnce, atomic };
}

/** What cannot be in a transaction, or writes where commits do. */
export function isOutside(statement: Prepared): boolean {
  const { verb, pragma } = statement.analysis;
  return verb === "VACUUM" || pragma?.place === "alone" || namesLog(statement);
}

/**
 * Refuses what would read counters that no statement of the write has set.
 *
 * @param entered An id is entered in front of the statements.
 * @throws {NotSupportedError} For the first such statement.
 */
export function refuseCounters({ statements, facts, options }: Write, entered: boolean): void {
  const atomic = options?.atomic ?? true;
  const factsOf = (i: number) => facts[i];
  refuseStrayCounters(statements, { factsOf, entered: atomic && entered, apart: !atomic });
}

/** @throws {NotSupportedError} For what ends with the transaction around it, where there is none. */
export function refuseLonely(statements: readonly Prepared[]): void {
  for (const { analysis: { source, pragma } } of statements) {
    if (pragma?.place !== "unit") continue;
    throw new NotSupportedError(
      `Cannot send PRAGMA ${pragma.name} by itself as it holds until the next commit, be it another client's: ` +
        "put it into the batch or transaction that it is for",
      { sql: source },
    );
  }
}

/** The error for what cannot be in a transaction, where an id is to be in the same. */
export function notWithId({ analysis }: Prepared): NotSupportedError {
  return new NotSupportedError(
    `Cannot run ${analysis.verb} exactly once as it cannot be part of a transaction`,
    { sql: analysis.source },
  );
}

/**
 * Refuses a statement that names a table of our own: the commit around it writes there.
 *
 * @throws {NotSupportedError} If it does.
 */
export function refuseOwnTables(prepared: Prepared): void {
  const name = ownTablesIn(prepared)[0];
  if (name === undefined) return;
  throw new NotSupportedError(
    `Cannot use ${name} in a transaction, nor in a write with an id, as their commits use it`,
    { sql: prepared.analysis.source },
  );
}

/** Whether a statement names the log of commits, with which every commit begins. */
function namesLog(prepared: Prepared): boolean {
  return ownTablesIn(prepared).some((name) => name.toLowerCase() === COMMIT_TABLE);
}

function ownTablesIn({ analysis }: Prepared): string[] {
  if (!/_rqlite_/i.test(analysis.text)) return [];
  const view = tokensOf(analysis);
  return view.tokens.map((_, i) => view.name(i)).filter(isOwnTable);
}
