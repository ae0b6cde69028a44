/**
 * The steps of engines that take no test files: the tests of `tests/portable/suite.ts`, as one bundle, in workerd and in
 * Chromium, against servers that are started here.
 */

import { features } from "../support/features.ts";
import { startRqlited } from "../support/rqlited.ts";
import type { Environment } from "../portable/environment.ts";
import type { Outcome as Told } from "../portable/node_test.ts";
import { runInBrowser } from "./browser.ts";
import type { Case } from "./junit.ts";
import { ROOT } from "./paths.ts";
import { run } from "./run.ts";
import type { Outcome, Step } from "./steps.ts";
import { findWorkerd, workerdConfig } from "./workerd.ts";

const LIMIT_MS = 3 * 60_000;

/** Where the bundle and what is made of it is put. */
const FOLDER = `${ROOT}out/portable/`;

/** Makes one module of an entry of `tests/portable`. */
async function bundle(name: string): Promise<void> {
  await Deno.mkdir(FOLDER, { recursive: true });
  const flags = ["--quiet", "--no-lock", "--platform", "browser"];
  const map = ["--import-map", "tests/portable/import_map.json"];
  const output = ["-o", `${FOLDER}${name}.mjs`, `tests/portable/${name}.ts`];
  const args = ["bundle", ...flags, ...map, ...output];
  const ran = await run(Deno.execPath(), args, { limit: LIMIT_MS, verbose: false });
  if (ran.code !== 0) throw new Error(`${name}.ts cannot be bundled\n${ran.output}`);
}

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

const workerd: Step = {
  name: "workerd",
  async run() {
    const path = await findWorkerd();
    if (path === undefined) return missing("workerd", "not found; name it with WORKERD_BIN");
    await bundle("suite_worker");
    await workerdConfig(FOLDER, "suite_worker.mjs");
    return await withServers(async (environment) => {
      const env = { TEST_ENVIRONMENT: JSON.stringify(environment) };
      const args = ["test", `${FOLDER}suite_worker.capnp`];
      const { output } = await run(path, args, { limit: LIMIT_MS, verbose: false, env });
      const line = /^RESULTS (.*)$/m.exec(output)?.[1];
      return outcomeOf("workerd", line && JSON.parse(line), output);
    });
  },
};

const chromium: Step = {
  name: "chromium",
  async run() {
    await bundle("suite");
    return await withServers(async (environment) => {
      const ran = await runInBrowser(FOLDER, { TEST_ENVIRONMENT: environment }, LIMIT_MS);
      if (ran === undefined) {
        return missing("chromium", "not found; install chromium or name it with CHROMIUM_BIN");
      }
      return outcomeOf("chromium", ran.results as readonly Told[] | undefined, ran.output);
    });
  },
};

/** The tests in the engines that take a bundle. */
export function portableSteps(): Step[] {
  return [workerd, chromium];
}
