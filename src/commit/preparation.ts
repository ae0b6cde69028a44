/**
 * Making the statements of a write ready by the schema.
 *
 * @module
 */

import type { Facts } from "../schema/facts.ts";
import type { Prepared } from "../sql/prepare.ts";
import type { Grounds } from "./ground.ts";
import type { Step } from "./steps.ts";
import type { Write } from "./write.ts";
import { refuseCounters } from "./write_checks.ts";
import { isDdl, namesUnknown } from "./written.ts";

/** Makes the statements ready by the schema, also by what they change of it themselves: that has to be waited for. */
export function prepareBy(write: Write, facts: Facts, grounds: Grounds): void | Promise<void> {
  write.prepare(facts);
  const { steps } = write;
  if (steps.length > 0) return prepareInSteps(write, facts, steps, grounds);
  refuseCounters(write, true);
}

async function prepareInSteps(
  write: Write,
  facts: Facts,
  steps: readonly Step[],
  grounds: Grounds,
): Promise<void> {
  const later = await behindEach(steps.map(({ statements }) => statements), write, grounds);
  // Where that fails, the list will, too.
  write.prepare(facts, later ?? steps.map(() => facts));
  refuseCounters(write, true);
}

/** The schema behind each step: rows seldom matter to it, and may be many. */
async function behindEach(
  steps: readonly (readonly Prepared[])[],
  { call, options }: Write,
  grounds: Grounds,
): Promise<readonly Facts[] | undefined> {
  let ddl = steps.map((step) => step.filter(isDdl));
  let behind = await grounds.behind(ddl, call);
  if ("failed" in behind && steps.some((step, i) => ddl[i]!.length < step.length)) {
    const whole = await grounds.behind(steps, call);
    if ("facts" in whole) behind = whole;
  }
  while ("failed" in behind) {
    const { failed } = behind;
    // Where each statement stands for itself, the others go on without it.
    if (options?.atomic !== false || !isDdl(failed)) return undefined;
    ddl = ddl.map((step) => step.filter((statement) => statement !== failed));
    behind = await grounds.behind(ddl, call);
  }
  return behind.facts;
}

/** Forgets the facts where a table is not known: it may be another program's, made a moment ago. */
export function doubtFacts({ statements }: Write, grounds: Grounds): void {
  const { knownFacts } = grounds;
  if (knownFacts !== undefined && namesUnknown(statements, knownFacts)) grounds.forget();
}
