import { OutcomeUnknownError } from "../errors.ts";
import { analyse, changes } from "../sql/analyse.ts";
import type { Prepared } from "../sql/prepare.ts";
import type { Result } from "../sql/value.ts";
import type { Dispatcher } from "./dispatch.ts";
import type { Batch, Reply } from "./request.ts";
import { firstError } from "./read_results.ts";
import { resultsOf } from "./results.ts";

/** Compiles on every server and fails on its first row, so that the transaction around it is rolled back. */
const POISON: Prepared = prepareText("SELECT abs(-9223372036854775808)");

/** Its result at the end of a list shows that the list was run to its end and committed. */
export const SENTINEL: Prepared = prepareText("SELECT 1");

/**
 * Servers before 9.4.2 do not notice an error behind RETURNING: they go on even where it has ended the transaction
 * (ON CONFLICT ROLLBACK in the schema, RAISE(ROLLBACK) in a trigger), and commit what follows. A savepoint has gone with
 * the transaction, and to release it is an error that they do notice.
 */
const SAVEPOINT: Prepared = prepareText('SAVEPOINT "_rqlite_guard"');

/** The other end of {@linkcode SAVEPOINT}. */
const RELEASE: Prepared = prepareText('RELEASE "_rqlite_guard"');

/** A batch whose statements know their place in the caller's list. */
export interface PlacedBatch extends Batch {
  /** Where the statements stand in it; `undefined` where errors name none. */
  readonly positions: readonly number[] | undefined;
  /** A statement with RETURNING may fail and keep the rows in front of the failing one. */
  readonly keepsRows: boolean;
}

/** Runs the statements one by one in one request; each stands for itself. */
export async function runLoose(dispatcher: Dispatcher, batch: PlacedBatch): Promise<Result[]> {
  const { writes, reads } = countKinds(batch.statements);
  const reply =
    await (writes === 0
      ? dispatcher.read({ ...batch, exact: true })
      : reads === 0
      ? dispatcher.write(batch)
      : dispatcher.mixed(batch));
  return resultsOf(reply, batch.statements, batch.settings, batch);
}

/**
 * Runs the statements as one unit.
 *
 * Reads alone share one snapshot. Writes alone go to `/db/execute`, which undoes everything at an error; servers
 * before 9.4.2 do not where the failing statement has RETURNING. Reads and writes together have to go to
 * `/db/request`, which commits in spite of a statement that does not compile. In the last two cases the batch is first
 * run to a statement that fails on purpose, which shows every error and keeps nothing.
 */
export async function runAtomic(dispatcher: Dispatcher, batch: PlacedBatch): Promise<Result[]> {
  const { statements, settings, positions } = batch;
  const { writes } = countKinds(statements);
  if (writes === 0) {
    const reply = await dispatcher.read({ ...batch, exact: true });
    return resultsOf(reply, statements, settings, { positions });
  }
  const { returningAborts } = dispatcher.capabilities;
  if ((returningAborts || !batch.keepsRows) && isSound(statements, returningAborts)) {
    // Where a RETURNING has ended the transaction, such a server would go on to commit it.
    const alone = !returningAborts && statements.some(({ analysis }) => analysis.returning);
    const reply = await dispatcher.write(alone ? { ...batch, transaction: false } : batch);
    return resultsOf(reply, statements, settings, { positions });
  }
  await rehearse(dispatcher, batch);
  const marked = { ...batch, statements: [...statements, SENTINEL] };
  const reply = await dispatcher.mixed(marked);
  if (committedInSpite(reply, statements)) throw tornBatch(reply, statements, positions);
  return resultsOf(reply, statements, settings, { positions });
}

/** Whether `/db/execute` undoes all of the statements at an error of one, and answers all that they say. */
export function isSound(statements: readonly Prepared[], returningAborts: boolean): boolean {
  const returning = statements.some(({ analysis }) => analysis.returning);
  return countKinds(statements).reads === 0 &&
    (!returning || statements.length === 1 || returningAborts);
}

/**
 * Runs statements as one transaction that ends in {@linkcode POISON}: the answer says what each of them does, and nothing is
 * kept of it.
 */
export function dryRun(dispatcher: Dispatcher, batch: Batch): Promise<Reply> {
  return dispatcher.speculate({
    ...batch,
    statements: [...batch.statements, POISON],
    transaction: true,
  });
}

/** Throws the error that the batch would have, without keeping anything of it. */
export async function rehearse(dispatcher: Dispatcher, batch: PlacedBatch): Promise<void> {
  const { returningAborts } = dispatcher.capabilities;
  const { statements, positions, settings } = returningAborts ? batch : guarded(batch);
  // A savepoint outside of a transaction would begin one and leave it open.
  const reply = await dryRun(dispatcher, { ...batch, statements });
  const failed = firstError(reply, statements);
  if (failed >= 0) resultsOf(reply, statements.slice(0, failed + 1), settings, { positions });
}

/** The batch with each RETURNING {@linkcode enclosed}. */
function guarded(batch: PlacedBatch): PlacedBatch {
  const { positions, statements } = batch;
  const pairs = statements.flatMap((statement, i): [Prepared, number][] => {
    const all = statement.analysis.returning ? enclosed([statement]) : [statement];
    return all.map((one) => [one, positions?.[i] ?? i]);
  });
  return {
    ...batch,
    statements: pairs.map(([statement]) => statement),
    positions: pairs.map(([, position]) => position),
  };
}

/** Puts statements between a savepoint and its release, which fails where one of them has ended the transaction. */
export function enclosed(statements: readonly Prepared[]): Prepared[] {
  return [SAVEPOINT, ...statements, RELEASE];
}

/** The server met an error, and went on to commit the rest. */
function committedInSpite(reply: Reply, statements: readonly Prepared[]): boolean {
  return firstError(reply, statements) >= 0 &&
    reply.answer.length > reply.first + statements.length;
}

/** Only when the schema, or a row that decides about a constraint, changed between the two requests. */
export function tornBatch(
  reply: Reply,
  statements: readonly Prepared[],
  positions: readonly number[] | undefined,
  id?: string,
): OutcomeUnknownError {
  const failed = firstError(reply, statements);
  const text = reply.answer.errorAt(reply.first + failed);
  return new OutcomeUnknownError(
    `The other statements of the batch were applied although this one failed, as the database changed while ` +
      `the batch was being checked: ${text}`,
    {
      sql: statements[failed]!.analysis.source,
      ...(positions !== undefined && { statementIndex: positions[failed]! }),
      ...(id !== undefined && { id }),
    },
  );
}

function countKinds(statements: readonly Prepared[]): { reads: number; writes: number } {
  const writes = statements.filter(({ analysis }) => changes(analysis)).length;
  return { writes, reads: statements.length - writes };
}

function prepareText(sql: string): Prepared {
  return { analysis: analyse(sql), sql, params: [] };
}
