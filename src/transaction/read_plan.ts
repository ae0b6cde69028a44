import { NotSupportedError } from "../errors.ts";
import { EVERYTHING } from "../commit/log_table.ts";
import type { Facts } from "../schema/facts.ts";
import type { Prepared } from "../sql/prepare.ts";
import type { Result } from "../sql/value.ts";
import { affinity } from "../wire/affinity.ts";
import { statementError } from "../wire/sql_errors.ts";
import { type Check, DigestError } from "./check.ts";
import { cellsOf, learnCells, tableOfCells } from "./cells.ts";
import { type Cursor, textOf } from "./cursor.ts";
import type { Op } from "./journal.ts";
import type { PlanContext, StepPlan } from "./plan.ts";
import { areTooLong, checkOf, learns, longestOf } from "./plan_check.ts";
import type { Shapes } from "./shapes.ts";
import type { Step } from "./step.ts";
import { scopesOf } from "./told.ts";

/** A read whose rows have to be the same at commit: its digests, and the rows. */
export class ReadPlan implements StepPlan {
  readonly statements: readonly Prepared[];
  readonly asks: boolean;
  readonly #step: Step;
  readonly #prepared: Prepared;
  readonly #shapes: Shapes;
  readonly #facts: Facts;
  readonly #check: Check | undefined;

  constructor(step: Step, prepared: Prepared, context: PlanContext) {
    this.#step = step;
    this.#prepared = prepared;
    this.#shapes = context.shapes;
    this.#facts = context.facts;
    const check = checkOf(prepared, context, true);
    this.#check = check;
    const byCells = check?.table !== undefined;
    // The commit is refused where the table has changed, but a node that is behind names the columns of a `*` as it knows them.
    this.asks = !byCells || prepared.sql.includes("*");
    const digests = byCells ? [] : check?.statements ?? [];
    this.statements = [...digests, check?.rows ?? prepared];
  }

  settle(cursor: Cursor, since: number | undefined): readonly Op[] | undefined {
    const step = this.#step;
    if (this.#check?.table !== undefined) return this.#settleByCells(this.#check, cursor, since);
    const digests = this.#check?.digests(cursor);
    if (digests instanceof DigestError && learns(this.#shapes, this.#prepared, digests)) {
      return undefined;
    }
    const failed = digests instanceof DigestError ? digests.message : undefined;
    // A statement that fails on its first row ends the transaction already within its digest.
    if (failed !== undefined && cursor.ended) return this.#fail(failed);
    const result = cursor.result(step, step.settings);
    if (result === undefined) return [];
    if (this.#check === undefined || digests === undefined) return this.#learnShape(result);
    if (digests instanceof DigestError) return this.#fail(digests.message);
    if (areTooLong(digests)) {
      const reason = `its rows take ${longestOf(digests)} characters as a digest`;
      step.fail(tooLarge(this.#prepared, reason));
      return [];
    }
    step.succeed(result);
    this.#learnCells(this.#check, result, cursor);
    if (!hasSignlessZero(result)) return [{ kind: "read", check: this.#check, digests, since }];
    const tables = scopesOf(this.#prepared, this.#facts).filter((name) => name !== EVERYTHING);
    const check = this.#check.signed(tables);
    return [{
      kind: "read",
      check,
      digests: { ...digests, rows: textOf(cursor.before(this.#prepared)) },
      since,
    }];
  }

  #learnCells({ isOfRows }: Check, { rows }: Result, cursor: Cursor): void {
    const read = this.#prepared;
    if (!isOfRows || tableOfCells(read, this.#facts) !== undefined) return;
    // Nobody decodes all the rows of a large one a second time.
    learnCells(read, this.#facts, rows.length > 1 ? undefined : cellsOf(cursor.before(read)));
  }

  #settleByCells(
    check: Check,
    cursor: Cursor,
    since: number | undefined,
  ): readonly Op[] | undefined {
    const result = cursor.result(this.#step, this.#step.settings);
    if (result === undefined) return [];
    const table = cursor.before(this.#prepared);
    const cells = cellsOf(table);
    if (cells === undefined) {
      learnCells(this.#prepared, this.#facts, undefined);
      return undefined;
    }
    this.#step.succeed(result);
    const digests = { guard: undefined, judged: undefined, rows: textOf(table), cells };
    return [{ kind: "read", check, digests, since }];
  }

  learn(cursor: Cursor): void {
    const digests = this.#check?.digests(cursor);
    if (digests instanceof DigestError) learns(this.#shapes, this.#prepared, digests);
    if (this.#check !== undefined) return;
    const columns = cursor.columns(this.#prepared);
    if (columns !== undefined) this.#shapes.learn(this.#prepared, columns);
  }

  #fail(text: string): readonly Op[] {
    this.#step.fail(statementError(text, { sql: this.#prepared.analysis.source }));
    return [];
  }

  /** With the number of columns known the read is run again, this time with a digest. */
  #learnShape({ columns }: Result): readonly Op[] | undefined {
    this.#shapes.learn(this.#prepared, columns.length);
    if (!this.#shapes.isUncheckable(this.#prepared)) return undefined;
    this.#step.fail(tooLarge(this.#prepared, `it has ${columns.length} columns`));
    return [];
  }
}

/** Whether a zero among the rows may be -0.0: only columns that take a REAL as it is keep one. */
function hasSignlessZero({ rows, types }: Result): boolean {
  const real = types.map((type) => affinity(type) === "real" || affinity(type) === "blob");
  return real.includes(true) &&
    rows.some((row) => Object.values(row).some((cell, i) => cell === 0 && real[i] !== false));
}

function tooLarge({ analysis }: Prepared, reason: string): NotSupportedError {
  return new NotSupportedError(
    `Cannot check at commit that the rows are still the same, as ${reason}: ` +
      "read less, or give { guard: false } and use `scope` or a lock",
    { sql: analysis.source, code: "ERR_UNCHECKABLE" },
  );
}
