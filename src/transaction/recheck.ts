import { dryRun } from "../calls/batch.ts";
import type { CallContext } from "../calls/call_context.ts";
import type { Dispatcher } from "../calls/dispatch.ts";
import type { Level } from "../calls/executor.ts";
import type { Commits } from "../commit/commits.ts";
import { ownBatch } from "../commit/own_statements.ts";
import { AnswerReader } from "./answer_reader.ts";
import { type Journal, type Op, type ReadOp, statementsOf, type WriteOp } from "./journal.ts";
import type { PinnedSchema } from "./pinned_schema.ts";

/** What one recheck has to know of its transaction. */
export interface RecheckContext {
  /** What sends its requests. */
  readonly dispatcher: Dispatcher;
  /** What knows where the sequence of commits is. */
  readonly commits: Commits;
  /** What it has done so far. */
  readonly journal: Journal;
  /** What its statements were made by. */
  readonly schema: PinnedSchema;
  /** Its limits and settings. */
  readonly call: CallContext;
  /** How current the state is on which reads are checked. */
  readonly level: Level;
}

/** Asks the database whether what a transaction told its caller still holds, before or in place of its commit. */
export class Recheck {
  readonly #context: RecheckContext;

  /** Sends nothing. */
  constructor(context: RecheckContext) {
    this.#context = context;
  }

  /** Whether all reads so far are still the same, in one snapshot of the newest state. */
  async holds(): Promise<boolean> {
    const { dispatcher, journal: { reads }, call, level } = this.#context;
    const statements = reads.flatMap(({ check }) => check.statements);
    const several = statements.length > 1;
    const reply = await dispatcher.read(ownBatch(statements, call, several, level));
    const answer = new AnswerReader(reply);
    return reads.every((read) => isSame(read, answer));
  }

  /** Whether all that callers were told holds in one state; writes that were kept back and not tried yet told nothing. */
  async toldHolds(): Promise<boolean> {
    const { ops } = this.#context.journal;
    const last = ops.findLastIndex((op) => op.kind === "read" || op.lazy === undefined);
    const told = ops.slice(0, last + 1);
    if (told.some(({ kind }) => kind === "write")) return await this.judge(told) !== undefined;
    return told.length === 0 || await this.holds();
  }

  /**
   * Judges once more, in one state: whether the reads are still the same, behind the writes in front of them.
   *
   * @param ops From the first on.
   * @returns The value of the sequence in that state; `undefined` if something is not the same.
   */
  async judge(ops: readonly Op[] = this.#context.journal.ops): Promise<number | undefined> {
    const { dispatcher, commits: { knowledge }, schema, call } = this.#context;
    const statements = ops.flatMap((op) =>
      op.kind === "read" ? op.check.statements : statementsOf(op)
    );
    const batch = ownBatch([knowledge.question, ...statements], call, true);
    const reply = await dryRun(dispatcher, batch);
    const answer = new AnswerReader(reply);
    const sighting = answer.sighting(knowledge);
    const same = await schema.agrees(sighting) &&
      ops.every((op) =>
        op.kind === "read" ? isSame(op, answer) : takeWrite(op, answer) === undefined
      );
    return same ? sighting.base : undefined;
  }
}

/** The error of a write that was sent again, or of its guard. */
export function takeWrite(
  { fragile, observed }: WriteOp,
  answer: AnswerReader,
): string | undefined {
  if (fragile) answer.take();
  const error = answer.take() ?? (observed && answer.take());
  if (fragile) answer.take();
  return error;
}

/** Whether a read that was sent again answers the same. */
function isSame({ check, digests }: ReadOp, answer: AnswerReader): boolean {
  const found = check.digests(answer);
  return !(found instanceof Error) && found.guard === digests.guard &&
    found.judged === digests.judged &&
    found.rows === digests.rows;
}
