/** The step that publishes every package, except that nothing leaves the machine. */

import type { Case } from "./junit.ts";
import { type Package, packages } from "./packages.ts";
import { run } from "./run.ts";
import type { Step } from "./steps.ts";

const LIMIT_MS = 3 * 60_000;

/**
 * What JSR would put in the place of a package's imports, each once, as `name -> specifier`.
 *
 * @param output What `deno publish --dry-run --log-level=debug` wrote.
 */
export function rewritten(output: string): string[] {
  const found = output.matchAll(/Unfurled specifier: (\S+) from \S+ -> (\S+)/g);
  return [...new Set([...found].map(([, from, to]) => `${from} -> ${to}`))].sort();
}

/** How JSR has to name what a package imports; `undefined` for a package that its `deno.json` does not name. */
function published(from: string, one: Package, root: Package): string | undefined {
  const names = { ...one.imports, [root.name]: `jsr:${root.name}@^${root.version}` };
  const name = Object.keys(names).find((name) => from === name || from.startsWith(`${name}/`));
  const target = name && names[name];
  if (name === undefined || target === undefined) return undefined;
  return (from === name ? target : target.replace(/^npm:/, "npm:/")) + from.slice(name.length);
}

/**
 * What is wrong with that, in words: an import that JSR would not know, or under another version than that of the
 * repository, and a driver without any import of the root package.
 *
 * @param lines What {@linkcode rewritten} found.
 */
export function publishingProblems(
  lines: readonly string[],
  one: Package,
  root: Package,
): string[] {
  const problems: string[] = [];
  for (const line of lines) {
    const [from = "", to] = line.split(" -> ");
    const right = from.startsWith("node:") ? from : published(from, one, root);
    if (to !== right) problems.push(`${one.name}: JSR would write ${to} for ${from}`);
  }
  if (one.version !== root.version) problems.push(`${one.name} is of version ${one.version}`);
  if (one.folder !== "." && !lines.some((line) => line.startsWith(root.name))) {
    problems.push(`${one.name} imports nothing of ${root.name}`);
  }
  return problems;
}

async function dryRun(one: Package, root: Package): Promise<readonly [Case, string]> {
  // The step `types` checks the same modules.
  const args = ["publish", "--dry-run", "--no-check", "--allow-dirty", "--log-level=debug"];
  const limits = { limit: LIMIT_MS, verbose: false, folder: one.folder };
  const { code, output } = await run(Deno.execPath(), args, limits);
  const problems = code === 0
    ? publishingProblems(rewritten(output), one, root)
    : output.split("\n").filter((line) => !line.startsWith("DEBUG"));
  const passed = code === 0 && problems.length === 0;
  return [
    { name: `${one.name} can be published`, state: passed ? "passed" : "failed", reason: "" },
    problems.join("\n"),
  ];
}

/** Tries to publish every package. */
export const packageStep: Step = {
  name: "package",
  early: true,
  async run() {
    const all = packages();
    const tried: (readonly [Case, string])[] = [];
    for (const one of all) tried.push(await dryRun(one, all[0]!));
    return {
      cases: tried.map(([found]) => found),
      output: tried.map(([, output]) => output).join("\n"),
    };
  },
};
