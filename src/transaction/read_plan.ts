import { NotSupportedError } from "../errors.ts";
import { EVERYTHING } from "../commit/log_table.ts";
import type { Facts } from "../schema/facts.ts";
import type { Prepared } from "../sql/prepare.ts";
import type { Result } from "../sql/value.ts";
import { affinity } from "../wire/affinity.ts";
import { statementError } from "../wire/sql_errors.ts";
import { type Check, DigestError, type ReadShapes } from "./check.ts";
import { learnRowValues, rowValuesOf, tableOfRow } from "./row_values.ts";
import { type AnswerReader, textOf } from "./answer_reader.ts";
import type { Op } from "./journal.ts";
import { areTooLong, checkOf, learns, longestOf, type PlanContext, type StepPlan } from "./plan.ts";
import type { Step } from "./step.ts";
import { scopesNamedIn } from "./statement_reads.ts";

/** A read whose rows have to be the same at commit: its digests, and the rows. */
export class ReadPlan implements StepPlan {
  /** What is sent, in order. */
  readonly statements: readonly Prepared[];
  /** Whether what it answers depends on the schema as it is then. */
  readonly asks: boolean;
  readonly #step: Step;
  readonly #prepared: Prepared;
  readonly #shapes: ReadShapes;
  readonly #facts: Facts;
  readonly #check: Check | undefined;

  /** Makes the statements. */
  constructor(step: Step, prepared: Prepared, context: PlanContext) {
    this.#step = step;
    this.#prepared = prepared;
    this.#shapes = context.shapes;
    this.#facts = context.facts;
    const check = checkOf(prepared, context, true);
    this.#check = check;
    const byValues = check?.table !== undefined;
    // The commit is refused where the table has changed, but a node that is behind names the columns of a `*` as it knows them.
    this.asks = !byValues || prepared.sql.includes("*");
    const digests = byValues ? [] : check?.statements ?? [];
    this.statements = [...digests, check?.rows ?? prepared];
  }

  /** Reads the answer, and settles the step unless it has to be sent again. */
  settle(answer: AnswerReader, since: number | undefined): readonly Op[] | undefined {
    const step = this.#step;
    if (this.#check?.table !== undefined) return this.#settleByValues(this.#check, answer, since);
    const digests = this.#check?.digests(answer);
    if (digests instanceof DigestError && learns(this.#shapes, this.#prepared, digests)) {
      return undefined;
    }
    const failed = digests instanceof DigestError ? digests.message : undefined;
    // A statement that fails on its first row ends the transaction already within its digest.
    if (failed !== undefined && answer.ended) return this.#fail(failed);
    const result = answer.result(step, step.settings);
    if (result === undefined) return [];
    if (this.#check === undefined || digests === undefined) return this.#learnShape(result);
    if (digests instanceof DigestError) return this.#fail(digests.message);
    if (areTooLong(digests)) {
      const reason = `its rows take ${longestOf(digests)} characters as a digest`;
      step.fail(tooLarge(this.#prepared, reason));
      return [];
    }
    step.succeed(result);
    this.#learnRowValues(this.#check, result, answer);
    if (!hasSignlessZero(result)) return [{ kind: "read", check: this.#check, digests, since }];
    const tables = scopesNamedIn(this.#prepared, this.#facts).filter((name) => name !== EVERYTHING);
    const check = this.#check.signed(tables);
    return [{
      kind: "read",
      check,
      digests: { ...digests, rows: textOf(answer.before(this.#prepared)) },
      since,
    }];
  }

  #learnRowValues({ isOfRows }: Check, { rows }: Result, answer: AnswerReader): void {
    const read = this.#prepared;
    if (!isOfRows || tableOfRow(read, this.#facts) !== undefined) return;
    // Nobody decodes all the rows of a large one a second time.
    learnRowValues(
      read,
      this.#facts,
      rows.length > 1 ? undefined : rowValuesOf(answer.before(read)),
    );
  }

  #settleByValues(
    check: Check,
    answer: AnswerReader,
    since: number | undefined,
  ): readonly Op[] | undefined {
    const result = answer.result(this.#step, this.#step.settings);
    if (result === undefined) return [];
    const table = answer.before(this.#prepared);
    const values = rowValuesOf(table);
    if (values === undefined) {
      learnRowValues(this.#prepared, this.#facts, undefined);
      return undefined;
    }
    this.#step.succeed(result);
    const digests = { guard: undefined, judged: undefined, rows: textOf(table), values };
    return [{ kind: "read", check, digests, since }];
  }

  /** Takes from the answer only how the step has to be sent. */
  learn(answer: AnswerReader): void {
    const digests = this.#check?.digests(answer);
    if (digests instanceof DigestError) learns(this.#shapes, this.#prepared, digests);
    if (this.#check !== undefined) return;
    const columns = answer.columns(this.#prepared);
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

/** A read that nobody checks. */
export class UncheckedReadPlan implements StepPlan {
  /** What is sent, in order. */
  readonly statements: readonly Prepared[];
  /** Whether what it answers depends on the schema as it is then. */
  readonly asks = false;
  readonly #step: Step;

  /** Makes the statements. */
  constructor(step: Step, prepared: Prepared) {
    this.#step = step;
    this.statements = [prepared];
  }

  /** Reads the answer, and settles the step unless it has to be sent again. */
  settle(answer: AnswerReader): readonly Op[] {
    const result = answer.result(this.#step, this.#step.settings);
    if (result !== undefined) this.#step.succeed(result);
    return [];
  }

  /** Takes from the answer only how the step has to be sent. */
  learn(): void {}
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
