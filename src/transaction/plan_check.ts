import { NotSupportedError } from "../errors.ts";
import { LONGEST_DIGEST } from "../reads/digest.ts";
import type { Prepared } from "../sql/prepare.ts";
import { tableOfCells } from "./cells.ts";
import { Check, type DigestError, type Digests, formOf } from "./check.ts";
import type { PlanContext } from "./plan.ts";
import type { Shapes } from "./shapes.ts";

/**
 * How a read is checked; `undefined` while its number of columns is not known.
 *
 * @param alone Nothing but its rows is asked for: they may be compared by cells.
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
  const table = alone && check.isOfRows && tableOfCells(read, facts);
  return table ? check.of(table) : check;
}

/** Whether an error tells how the digest has to be made; then it is known from here on. */
export function learns(shapes: Shapes, read: Prepared, { columns, real }: DigestError): boolean {
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
