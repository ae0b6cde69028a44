import type { Facts } from "../schema/facts.ts";
import type { Prepared } from "../sql/prepare.ts";
import type { AnswerReader } from "./answer_reader.ts";
import type { Op } from "./journal.ts";
import { Check, type DigestError, type Digests, formOf, type ReadShapes } from "./check.ts";
import { NotSupportedError } from "../errors.ts";
import { LONGEST_DIGEST } from "../reads/digest.ts";
import { tableOfRow } from "./row_values.ts";

/** What a statement becomes in one request, and how the answer to just that request is read. */
export interface StepPlan {
  /** What is sent, in order. */
  readonly statements: readonly Prepared[];
  /** What it answers depends on the schema as it is then: by another one nodes may compare what differs between them. */
  readonly asks: boolean;
  /**
   * Settles the step.
   *
   * @param since The value of the sequence in the state of the answer.
   * @returns What the transaction keeps of it; `undefined` if it has to be sent again, as only now it is known how.
   */
  settle(answer: AnswerReader, since: number | undefined): readonly Op[] | undefined;
  /** Takes from the answer only how the step has to be sent, as one in front of it has to be sent again. */
  learn(answer: AnswerReader): void;
}

/** What plans are made by. */
export interface PlanContext {
  /** What is known of the schema. */
  readonly facts: Facts;
  /** What answers have told of reads. */
  readonly shapes: ReadShapes;
  /** Results are checked at commit. */
  readonly checked: boolean;
  /** The server may go on behind a RETURNING that failed. */
  readonly mayGoOn: boolean;
}

/**
 * How a read is checked; `undefined` while its number of columns is not known.
 *
 * @param alone Nothing but its rows is asked for: they may be compared value by value.
 * @throws {NotSupportedError} If nobody can.
 */
export function checkOf(
  read: Prepared,
  { facts, shapes }: PlanContext,
  alone = false,
): Check | undefined {
  const form = formOf(read, facts);
  if (form.refusal !== undefined) throw unconfirmable(read, form.refusal);
  const columns = shapes.columnsOf(read, form.columns);
  if (columns === undefined) return undefined;
  const check = new Check(read, form, { columns, reals: shapes.hasReals(read) });
  const table = alone && check.isOfRows && tableOfRow(read, facts);
  return table ? check.of(table) : check;
}

/** Whether an error tells how the digest has to be made; then it is known from here on. */
export function learns(
  shapes: ReadShapes,
  read: Prepared,
  { columns, real }: DigestError,
): boolean {
  if (columns !== undefined) shapes.learn(read, columns);
  if (real) shapes.learnReals(read);
  return columns !== undefined || real;
}

/** Whether digests are too long to be sent along. */
export function areTooLong(digests: Digests): boolean {
  return longestOf(digests) > LONGEST_DIGEST;
}

/** How many characters the longer of the digests has. */
export function longestOf({ guard, judged }: Digests): number {
  return Math.max(guard?.length ?? 0, judged?.length ?? 0);
}

function unconfirmable({ analysis }: Prepared, reason: string): NotSupportedError {
  return new NotSupportedError(
    `Cannot check at commit that the rows are still the same, as ${reason}: ` +
      "give { guard: false } if they need not be, or read outside of the transaction",
    { sql: analysis.source, code: "ERR_UNCHECKABLE" },
  );
}
