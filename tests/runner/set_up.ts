/**
 * Installs what the tests need: what `deno.lock` and the locks below `tests/` name, the links between the packages, and
 * Prisma's generated client.
 *
 *     deno run -A tests/runner/set_up.ts
 */

import { linkWorkspace } from "./links.ts";
import { generatePrisma } from "./prisma.ts";
import { RECIPES } from "./recipes.ts";
import { run } from "./run.ts";

const LIMIT_MS = 4 * 60_000;

/** Where the engines' packages are for one platform only; elsewhere the engines come from `PATH`. */
export function engineFolders(): string[] {
  return Deno.build.os === "linux" && Deno.build.arch === "x86_64" ? ["tests/runtimes"] : [];
}

/** Folders with a `deno.json` and a lock of their own. */
function folders(): string[] {
  const versions = ["tests/kysely/versions", "tests/integration/versions"];
  const tools = ["tests/recipes/tools", "tests/recipes/tools_v1"];
  return [...engineFolders(), ...versions, ...tools, ...RECIPES];
}

/** Installs what the lock of a folder names. @returns What was in the way, if anything was. */
export async function install(folder: string): Promise<string | undefined> {
  const limits = { limit: LIMIT_MS, verbose: false, folder };
  const { code, output } = await run(Deno.execPath(), ["install", "--frozen"], limits);
  return code === 0 ? undefined : `${output}\nCannot install the dependencies of ${folder}`;
}

async function makeClients(): Promise<string | undefined> {
  const { code, output } = await generatePrisma();
  return code === 0 ? undefined : `${output}\nCannot generate the client of Prisma`;
}

/** Sets up what every module of the repository imports. @returns What was in the way, if anything was. */
export async function setUpRoot(): Promise<string | undefined> {
  const problems = await Promise.all([install("."), makeClients()]);
  const problem = problems.find((one) => one !== undefined);
  if (problem === undefined) linkWorkspace();
  return problem;
}

/** Sets up the engines, and what some tests start in projects of their own. @returns What was in the way, if anything was. */
export async function setUpProjects(): Promise<string | undefined> {
  const queue = folders();
  const worker = async (): Promise<string | undefined> => {
    for (let folder = queue.shift(); folder !== undefined; folder = queue.shift()) {
      const problem = await install(folder);
      if (problem !== undefined) return problem;
    }
    return undefined;
  };
  const problems = await Promise.all([worker(), worker()]);
  return problems.find((one) => one !== undefined);
}

if (import.meta.main) {
  const problem = await setUpRoot() ?? await setUpProjects();
  if (problem !== undefined) throw new Error(problem);
}
