/**
 * The steps of engines that take no test files: the tests of `tests/portable/suite.ts`, as one bundle, in workerd and in
 * Chromium, against servers that are started here.
 */

import { features } from "../support/features.ts";
import { startRqlited } from "../support/rqlited.ts";
import type { Environment } from "../portable/environment.ts";
import type { Outcome as Told } from "../portable/node_test.ts";
import { findChromium, runInBrowser } from "./browser.ts";
import { checkPage } from "./browser_page.ts";
import { bundle, BUNDLES } from "./bundle.ts";
import type { Case } from "./junit.ts";
import { run } from "./run.ts";
import type { Outcome, Step } from "./steps.ts";
import { withWorkerApp } from "./worker_app.ts";
import { WORKER_CHECKS } from "./worker_checks.ts";
import { findWorkerd, NEWEST, OLDEST, type Workerd, workerdConfig } from "./workerd.ts";

const LIMIT_MS = 3 * 60_000;

/** In place of what only Node has. */
const STAND_INS = ["--no-lock", "--import-map", "tests/portable/import_map.json"];

/** Gives servers of its own to `body`. */
async function withServers<T>(body: (environment: Environment) => Promise<T>): Promise<T> {
  const args = ["-http-allow-origin", "*"];
  const plain = await startRqlited({ args });
  try {
    const enforcing = await startRqlited({ args: [...args, "-fk"] });
    try {
      const { linearizable } = await features(plain.url);
      return await body({ url: plain.url, foreignKeysUrl: enforcing.url, linearizable });
    } finally {
      await enforcing.stop();
    }
  } finally {
    await plain.stop();
  }
}

function outcomeOf(name: string, told: readonly Told[] | undefined, output: string): Outcome {
  if (told === undefined || told.length === 0) {
    return { cases: [{ name: `${name} ran no test`, state: "failed", reason: "" }], output };
  }
  const cases = told.map(({ name, state }): Case => ({ name, state, reason: "" }));
  const errors = told.flatMap(({ name, error }) =>
    error === undefined ? [] : [`${name}\n${error}`]
  );
  return { cases, output: [...errors, output].join("\n\n") };
}

/** An engine that is missing fails where everything has to be there. */
function missing(name: string, how: string): Outcome {
  const state = Deno.env.get("CI") ? "failed" : "skipped";
  return { cases: [{ name: `${name} (engine)`, state, reason: how }], output: how };
}

function missingWorkerd({ name, variable }: Workerd): Outcome {
  return missing(name, `not found; name it with ${variable}`);
}

const workerd: Step = {
  name: "workerd",
  async run() {
    const path = await findWorkerd(NEWEST);
    if (path === undefined) return missingWorkerd(NEWEST);
    const module = await bundle("tests/portable/suite_worker.ts", ...STAND_INS);
    const options = { date: NEWEST.date, binding: "TEST_ENVIRONMENT" };
    const config = await workerdConfig(BUNDLES, module, options);
    return await withServers(async (environment) => {
      const env = { TEST_ENVIRONMENT: JSON.stringify(environment) };
      const { output } = await run(path, ["test", config], {
        limit: LIMIT_MS,
        verbose: false,
        env,
      });
      const line = /^RESULTS (.*)$/m.exec(output)?.[1];
      return outcomeOf("workerd", line && JSON.parse(line), output);
    });
  },
};

const NO_CHROMIUM = "not found; install chromium or name it with CHROMIUM_BIN";

const chromium: Step = {
  name: "chromium",
  async run() {
    const path = await findChromium();
    if (path === undefined) return missing("chromium", NO_CHROMIUM);
    const module = await bundle("tests/portable/suite.ts", ...STAND_INS);
    return await withServers(async (environment) => {
      const globals = { TEST_ENVIRONMENT: environment };
      const { results, output } = await runInBrowser(path, BUNDLES + module, globals, LIMIT_MS);
      const suite = outcomeOf("chromium", results as readonly Told[] | undefined, output);
      const page = await checkPage(path, environment.url);
      return { cases: [...suite.cases, page], output: suite.output };
    });
  },
};

/** Workers as they are served, in one version of workerd. */
async function serveWorkers(
  workerd: Workerd,
  modules: ReadonlyMap<string, string>,
): Promise<Outcome> {
  const path = await findWorkerd(workerd);
  if (path === undefined) return missingWorkerd(workerd);
  const cases: Case[] = [];
  const errors: string[] = [];
  for (const [entry, checks] of Object.entries(WORKER_CHECKS)) {
    await withWorkerApp(workerd, path, modules.get(entry)!, async (app) => {
      for (const [what, check] of Object.entries(checks)) {
        const name = `${what} [${workerd.name}]`;
        const error = await check(app).then(() => undefined, (error: unknown) => String(error));
        if (error !== undefined) errors.push(`${name}\n${error}`);
        cases.push({ name, state: error === undefined ? "passed" : "failed", reason: "" });
      }
    });
  }
  return { cases, output: errors.join("\n\n") };
}

const workerApp: Step = {
  name: "worker app",
  async run() {
    const modules = new Map<string, string>();
    for (const entry of Object.keys(WORKER_CHECKS)) modules.set(entry, await bundle(entry));
    const engines = [NEWEST, OLDEST].map((workerd) => serveWorkers(workerd, modules));
    const outcomes = await Promise.all(engines);
    const output = outcomes.map(({ output }) => output).filter((text) => text !== "");
    return { cases: outcomes.flatMap(({ cases }) => cases), output: output.join("\n\n") };
  },
};

/** The tests in the engines that take a bundle. */
export function portableSteps(): Step[] {
  return [workerd, workerApp, chromium];
}
