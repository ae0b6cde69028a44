/**
 * Runs everything: the static checks, the examples in the documentation, and the tests on every
 * engine. The last line is `N passed, N failed, N skipped`.
 *
 *     deno run -A tests/run_all.ts [--only=static,docs,installs,recipes,deno,bun,node24,node22,workerd,chromium] [--verbose] [FILE…]
 *
 * A FILE is a part of a test file's path; with one, only engines run, each of them what was named. Without, each engine runs
 * what tests/runner/files.ts gives it.
 */

import { type EngineName, filesOn } from "./runner/files.ts";
import { installsStep } from "./runner/installs.ts";
import type { Case } from "./runner/junit.ts";
import { filesUnder } from "./runner/paths.ts";
import { recipesStep } from "./runner/recipes.ts";
import { skips, totals } from "./runner/report.ts";
import { portableSteps } from "./runner/portable.ts";
import { installPython } from "./runner/python.ts";
import { installServers } from "./runner/servers.ts";
import { setUpProjects, setUpRoot } from "./runner/set_up.ts";
import { docsStep, engineSteps, type Outcome, staticSteps, type Step } from "./runner/steps.ts";

function print(text: string): void {
  let bytes = new TextEncoder().encode(text);
  while (bytes.length > 0) bytes = bytes.subarray(Deno.stdout.writeSync(bytes));
}

function selectFiles(parts: readonly string[]): (engine: EngineName) => string[] {
  const files = filesUnder("tests", "_test.ts");
  const names = parts.map((part) => part.replace(/^\.\//, ""));
  if (names.length === 0) return (engine) => filesOn(engine, files);
  // Without a file, an engine would take all it finds.
  const absent = names.find((name) => !files.some((file) => file.includes(name)));
  if (absent !== undefined) throw new Error(`No test file has ${absent} in its path`);
  const named = files.filter((file) => names.some((name) => file.includes(name)));
  return () => named;
}

function selectSteps(only: readonly string[], parts: readonly string[]): Step[] {
  const wanted = (name: string) => only.length === 0 || only.includes(name);
  const steps: Step[] = engineSteps(selectFiles(parts)).filter(({ engine }) => wanted(engine));
  if (parts.length > 0) return steps;
  steps.push(...portableSteps().filter((step) => wanted(step.name)));
  if (wanted(recipesStep.name)) steps.push(recipesStep);
  if (wanted(installsStep.name)) steps.push(installsStep);
  if (wanted("docs")) steps.unshift(docsStep());
  if (wanted("static")) steps.unshift(...staticSteps());
  return steps;
}

/** Only engines run tests. */
function needsServers(steps: readonly Step[]): boolean {
  return steps.some((step) => "engine" in step);
}

/** What the tests of locks share them with; they say themselves which of it they lack. */
async function setUpServers(): Promise<void> {
  const lacking = await Promise.all([installServers(), installPython()]);
  for (const reason of lacking) if (reason !== undefined) print(`Not set up: ${reason}\n`);
}

/** A step that breaks is a failure, and the others go on. */
async function outcomeOf(step: Step, verbose: boolean): Promise<Outcome> {
  try {
    return await step.run(verbose);
  } catch (error) {
    const output = error instanceof Error ? `${error.stack}` : String(error);
    return { cases: [{ name: step.name, state: "failed", reason: "" }], output };
  }
}

async function perform(step: Step, verbose: boolean): Promise<readonly Case[]> {
  const start = performance.now();
  const { cases, output, note } = await outcomeOf(step, verbose);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const failures = cases.filter((one) => one.state === "failed");
  if (failures.length > 0 && !verbose) print(`\n${output}\n`);
  for (const { name } of failures) print(`FAILED ${step.name}: ${name}\n`);
  print(`${step.name.padEnd(25)} ${totals(cases).padEnd(40)} ${seconds.padStart(6)} s\n`);
  if (note !== undefined) print(`  ${note}\n`);
  return cases;
}

/** Sets up what only some steps need. @returns What was in the way, if anything was. */
async function setUpRest(steps: readonly Step[]): Promise<string | undefined> {
  const [problem] = await Promise.all([setUpProjects(), needsServers(steps) && setUpServers()]);
  return problem;
}

/** Takes the steps in order, as many at once as there are workers; the early ones while the rest is still set up. */
async function performAll(
  steps: readonly Step[],
  verbose: boolean,
): Promise<Map<string, readonly Case[]>> {
  const results = new Map<string, readonly Case[]>();
  const stop = (problem: string): void => {
    if (!results.has("setup")) print(`${problem}\n`);
    results.set("setup", [{ name: "setup", state: "failed", reason: "" }]);
  };
  const problem = await setUpRoot();
  if (problem !== undefined) {
    stop(problem);
    return results;
  }
  const rest = setUpRest(steps);
  const queue = [...steps];
  const work = async () => {
    for (let step = queue.shift(); step; step = queue.shift()) {
      const problem = step.early ? undefined : await rest;
      if (problem !== undefined) return stop(problem);
      results.set(step.name, await perform(step, verbose));
    }
  };
  // Engines wait for servers and timers half of their time, so three keep two cores busy.
  const workers = verbose || navigator.hardwareConcurrency === 1 ? 1 : 3;
  await Promise.all(Array.from({ length: workers }, work));
  return results;
}

const flags = Deno.args.filter((arg) => arg.startsWith("--"));
const parts = Deno.args.filter((arg) => !arg.startsWith("--"));
const only = flags.find((flag) => flag.startsWith("--only="))?.slice(7).split(",") ?? [];
const steps = selectSteps(only, parts);
const results = await performAll(steps, flags.includes("--verbose"));
for (const { name, engines, reason } of skips(results)) {
  print(`skipped: ${name} (${engines.join(", ")})${reason ? `: ${reason}` : ""}\n`);
}
const all = [...results.values()].flat();
print(`\n${totals(all)}\n`);
Deno.exit(all.length > 0 && all.every((one) => one.state !== "failed") ? 0 : 1);
