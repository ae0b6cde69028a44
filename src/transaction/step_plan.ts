import type { Prepared } from "../sql/prepare.ts";
import type { Cursor } from "./cursor.ts";
import type { Op } from "./journal.ts";
import type { PlanContext, StepPlan } from "./plan.ts";
import { ReadPlan } from "./read_plan.ts";
import type { Step } from "./step.ts";
import { WritePlan } from "./write_plan.ts";

/**
 * Plans one step.
 *
 * @throws {NotSupportedError} If nobody can check what it answers, or write out what it leaves to the schema.
 */
export function planOf(step: Step, context: PlanContext): StepPlan {
  const prepared = step.by(context.facts);
  if (step.writes) return new WritePlan(step, prepared, context);
  return step.guarded && prepared.analysis.kind === "read"
    ? new ReadPlan(step, prepared, context)
    : new PlainPlan(step, prepared);
}

/** A read that nobody checks. */
class PlainPlan implements StepPlan {
  readonly statements: readonly Prepared[];
  readonly asks = false;
  readonly #step: Step;

  constructor(step: Step, prepared: Prepared) {
    this.#step = step;
    this.statements = [prepared];
  }

  settle(cursor: Cursor): readonly Op[] {
    const result = cursor.result(this.#step, this.#step.settings);
    if (result !== undefined) this.#step.succeed(result);
    return [];
  }

  learn(): void {}
}
