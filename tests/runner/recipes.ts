/**
 * The recipes that want one version of a package in everything that is loaded, also in the drivers: each folder's own
 * `deno.json` says which, and its tests run by that, on Deno.
 */

import type { Case } from "./junit.ts";
import { run } from "./run.ts";
import { type Outcome, runWithReport, type Step } from "./steps.ts";

/** Folders of recipes with a `deno.json` for their tests. */
export const RECIPES: readonly string[] = ["tests/recipes/auth", "tests/recipes/auth_v1"];

const LIMIT_MS = 60_000;

/** What the checks of the root leave out. */
async function checked(folder: string, ...args: readonly string[]): Promise<Outcome> {
  const options = { limit: LIMIT_MS, verbose: false, folder };
  const { code, output } = await run(Deno.execPath(), args, options);
  const state: Case["state"] = code === 0 ? "passed" : "failed";
  return { cases: [{ name: `${args[0]} ${folder}`, state, reason: "" }], output };
}

async function outcomesOf(folder: string, verbose: boolean): Promise<Outcome[]> {
  const name = folder.split("/").at(-1)!;
  const args = (report: string) => ["test", "-A", `--junit-path=../../../${report}`];
  return [
    await checked(folder, "fmt", "--check"),
    await checked(folder, "lint"),
    await runWithReport(name, Deno.execPath(), args, { verbose, folder }),
  ];
}

/** Checks and runs them, one folder after the other. */
export const recipesStep: Step = {
  name: "recipes",
  async run(verbose) {
    const outcomes: Outcome[] = [];
    for (const folder of RECIPES) outcomes.push(...await outcomesOf(folder, verbose));
    const failed = outcomes.filter(({ cases }) => cases.some(({ state }) => state === "failed"));
    return {
      cases: outcomes.flatMap(({ cases }) => cases),
      output: failed.map(({ output }) => output).join("\n"),
    };
  },
};
