import type { Facts } from "../schema/facts.ts";
import type { Prepared } from "../sql/prepare.ts";
import type { Knowledge } from "./knowledge.ts";
import type { Step, Write } from "./write.ts";
import { refuseCounters } from "./refusals.ts";
import { isDdl, namesUnknown } from "./written_tables.ts";

/** Makes the statements ready by the schema, also by what they change of it themselves: that has to be waited for. */
export function prepareBy(write: Write, facts: Facts, knowledge: Knowledge): void | Promise<void> {
  write.prepare(facts);
  const { steps } = write;
  if (steps.length > 0) return prepareInSteps(write, facts, steps, knowledge);
  refuseCounters(write, true);
}

async function prepareInSteps(
  write: Write,
  facts: Facts,
  steps: readonly Step[],
  knowledge: Knowledge,
): Promise<void> {
  const later = await behindEach(steps.map(({ statements }) => statements), write, knowledge);
  // Where that fails, the list will, too.
  write.prepare(facts, later ?? steps.map(() => facts));
  refuseCounters(write, true);
}

/** The schema behind each step: rows seldom matter to it, and may be many. */
async function behindEach(
  steps: readonly (readonly Prepared[])[],
  { call, options }: Write,
  knowledge: Knowledge,
): Promise<readonly Facts[] | undefined> {
  let ddl = steps.map((step) => step.filter(isDdl));
  let behind = await knowledge.behind(ddl, call);
  if ("failed" in behind && !steps.flat().every(isDdl)) {
    const whole = await knowledge.behind(steps, call);
    if ("facts" in whole) behind = whole;
  }
  while ("failed" in behind) {
    const { failed } = behind;
    // Where each statement stands for itself, the others go on without it.
    if (options?.atomic !== false || !isDdl(failed)) return undefined;
    ddl = ddl.map((step) => step.filter((statement) => statement !== failed));
    behind = await knowledge.behind(ddl, call);
  }
  return behind.facts;
}

/** Forgets the facts where a table is not known: it may be another program's, made a moment ago. */
export function doubtFacts({ statements }: Write, knowledge: Knowledge): void {
  const { knownFacts } = knowledge;
  if (knownFacts !== undefined && namesUnknown(statements, knownFacts)) knowledge.forget();
}
