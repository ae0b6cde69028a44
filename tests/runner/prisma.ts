/**
 * Generates Prisma's client for the tests, into `tests/prisma/generated`, as `prisma generate` does for its users.
 */

import { ROOT } from "./paths.ts";
import { type Ran, run } from "./run.ts";

const FOLDER = "tests/prisma/generator";
const CLIENT = "tests/prisma/generated/client.ts";
const SOURCES = ["schema.prisma", "prisma.config.ts", "deno.lock"];
const LIMITS = { limit: 2 * 60_000, verbose: false, folder: FOLDER };

/** Generates it unless it is there already, and newer than what it is made of. */
export async function generatePrisma(): Promise<Ran> {
  const installed = await run(Deno.execPath(), ["install", "--frozen"], LIMITS);
  if (installed.code !== 0 || isFresh()) return installed;
  const { imports: { prisma } } = JSON.parse(
    Deno.readTextFileSync(`${ROOT}${FOLDER}/deno.json`),
  ) as { imports: { prisma: string } };
  // The command would download an engine for migrations, which generating has no use for.
  const env = { PRISMA_SCHEMA_ENGINE_BINARY: Deno.execPath(), CHECKPOINT_DISABLE: "1" };
  return await run(Deno.execPath(), ["run", "-A", prisma, "generate"], { ...LIMITS, env });
}

function isFresh(): boolean {
  const made = changedAt(CLIENT);
  return SOURCES.every((file) => changedAt(`${FOLDER}/${file}`) < made);
}

/** In milliseconds; of a file that is not there, before all others. */
function changedAt(path: string): number {
  try {
    return Deno.statSync(ROOT + path).mtime?.getTime() ?? 0;
  } catch {
    return 0;
  }
}

if (import.meta.main) {
  const { code, output } = await generatePrisma();
  if (code !== 0) throw new Error(`Cannot generate the client of Prisma:\n${output}`);
}
