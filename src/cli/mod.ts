/**
 * The command line: SQL, scripts, migrations, dumps, backups, imports, and what a cluster is doing.
 *
 * ```sh
 * deno run -A jsr:@tangled/rqlite/cli query "SELECT * FROM users WHERE id = ?" 1 --url http://localhost:4001
 * ```
 *
 * @module
 */

import { existsSync, realpathSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { main } from "./main.ts";
import { Interruption } from "./surroundings.ts";

export { Interruption, main };
export type { Sink, Source, Surroundings } from "./surroundings.ts";

/** Whether this module is what was started; Node before 24.2 does not say. */
function isProgram(): boolean {
  const { main, url } = import.meta as { main?: boolean; url: string };
  if (main !== undefined) return main;
  const [, started = ""] = process.argv;
  return existsSync(started) && realpathSync(started) === fileURLToPath(url);
}

async function start(): Promise<void> {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      const reason = new Interruption(signal);
      // Whoever asks twice does not want to wait for what is under way.
      if (controller.signal.aborted) process.exit(reason.exitCode);
      controller.abort(reason);
    });
  }
  const { stdin, stdout, stderr, env } = process;
  const code = await main(process.argv.slice(2), {
    ...{ stdin, stdout, stderr, env },
    signal: controller.signal,
  });
  // Standard input may still be open, and nobody will read it.
  process.exit(code);
}

if (isProgram()) await start();
