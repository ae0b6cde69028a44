/**
 * Generates Prisma's clients for the tests and the example, as `prisma generate` does for its users.
 */

import { ROOT } from "./paths.ts";
import { type Ran, run } from "./run.ts";

const FOLDER = "tests/prisma/generator";
const LIMITS = { limit: 2 * 60_000, verbose: false, folder: FOLDER };

/** A schema, and what is generated of it. */
const CLIENTS = [
  { schema: "tests/prisma/generator/schema.prisma", client: "tests/prisma/generated/client.ts" },
  { schema: "examples/prisma/schema.prisma", client: "examples/prisma/generated/client.ts" },
];

/** Generates those that are not there already, and newer than what they are made of. */
export async function generatePrisma(): Promise<Ran> {
  let ran = await run(Deno.execPath(), ["install", "--frozen"], LIMITS);
  const manifest = Deno.readTextFileSync(`${ROOT}${FOLDER}/deno.json`);
  const { imports: { prisma } } = JSON.parse(manifest) as { imports: { prisma: string } };
  // The command would download an engine for migrations, which generating has no use for.
  const env = { PRISMA_SCHEMA_ENGINE_BINARY: Deno.execPath(), CHECKPOINT_DISABLE: "1" };
  for (const { schema, client } of CLIENTS) {
    const made = changedAt(client);
    const fresh = [schema, `${FOLDER}/deno.lock`].every((path) => changedAt(path) < made);
    if (fresh || ran.code !== 0) continue;
    const args = ["run", "-A", prisma, "generate", "--schema", ROOT + schema];
    ran = await run(Deno.execPath(), args, { ...LIMITS, env });
  }
  return ran;
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
  if (code !== 0) throw new Error(`Cannot generate the clients of Prisma:\n${output}`);
}
