/** Runs one scenario on the engine that runs this, and prints a line of JSON for each thing found out. */

import process from "node:process";
import { type Rqlited, startRqlited } from "../tests/support/rqlited.ts";
import { measure } from "./measure.ts";
import type { Contest, EngineName, Figure } from "./results.ts";
import { SCENARIOS } from "./scenario.ts";

const [scenario = "", engine, quick] = process.argv.slice(2);
const where = { scenario, engine: engine as EngineName };

function tell(found: { contest: Contest } | { figure: Figure }): void {
  process.stdout.write(`${JSON.stringify(found)}\n`);
}

const servers: Rqlited[] = [];
const { default: run } = await SCENARIOS[scenario]!.load();
try {
  await run({
    engine: where.engine,
    quick: quick === "quick",
    async server(onDisk = false) {
      const server = await startRqlited({ onDisk });
      servers.push(server);
      return server;
    },
    async contest(plan) {
      const measured = await measure(plan);
      tell({ contest: { ...where, title: plan.title, rounds: plan.rounds, measured } });
    },
    figure: (figure) => tell({ figure: { ...where, ...figure } }),
  });
} finally {
  for (const server of servers) await server.stop();
}
process.exit(); // connections that are kept open would hold some engines
