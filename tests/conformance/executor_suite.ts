import { after, afterEach, before, describe } from "node:test";
import { type Client, connect } from "../../mod.ts";
import { clear } from "../support/clear.ts";
import { batches, foreignKeys } from "./batches.ts";
import { endings } from "./endings.ts";
import { errors } from "./errors.ts";
import { first } from "./first.ts";
import { iteration } from "./iteration.ts";
import { levels } from "./levels.ts";
import { parameters } from "./parameters.ts";
import { refusals } from "./refusals.ts";
import { results } from "./results.ts";
import { returning } from "./returning.ts";
import { schema } from "./schema.ts";
import type { Open, Target, Topic } from "./target.ts";
import { values } from "./values.ts";

const TOPICS: Readonly<Record<string, Topic>> = {
  values,
  parameters,
  results,
  first,
  returning,
  errors,
  batches,
  refusals,
  levels,
  iteration,
  endings,
  schema,
};

/** Those in which the engine has a part: numbers and bytes, timers and aborts, streams. */
const OF_ENGINE: Readonly<Record<string, Topic>> = { values, parameters, iteration, endings };

/** Runs the topics in which the engine has a part over an implementation that others run all topics over. */
export function engineSuite(name: string, open: Open, skip: string | false): void {
  group(name, OF_ENGINE, () => open({ foreignKeys: false }), skip);
}

/** Runs every topic over one implementation, and what needs foreign keys over one that enforces them. */
export function executorSuite(name: string, open: Open, skip: string | false = false): void {
  group(name, TOPICS, () => open({ foreignKeys: false }), skip);
  const enforced = { "foreign keys": foreignKeys };
  group(`${name} with foreign keys`, enforced, () => open({ foreignKeys: true }), skip);
}

function group(
  name: string,
  topics: Readonly<Record<string, Topic>>,
  open: () => Promise<Target>,
  skip: string | false,
): void {
  describe(name, { skip }, () => {
    for (const [topic, tests] of Object.entries(topics)) {
      describe(topic, () => {
        let opened: Target | undefined;
        let cleaner: Client | undefined;
        before(async () => {
          opened = await open();
          cleaner = connect(opened.url, { fetch: opened.fetch, exactlyOnce: false });
        });
        // A client reads the schema again after DDL: the tables of a hundred tests take their time.
        afterEach(() => cleaner && clear(cleaner, true));
        after(() => opened?.close());
        tests(() => opened!);
      });
    }
  });
}
