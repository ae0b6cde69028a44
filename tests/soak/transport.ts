/**
 * The long form of tests/transport/storm_test.ts: 10,000 calls on each engine, over its own `fetch` and over `nodeFetch()`,
 * while everything between them and the node breaks. Prints what they met; ends with code 1 where something is wrong.
 *
 *     deno run -A tests/soak/transport.ts [--calls=10000] [--seed=N] [PART OF A NAME …]
 */

import process from "node:process";
import { parseArgs } from "node:util";
import { childEngines } from "../support/engines.ts";
import { storm } from "../transport/storm.ts";

const { values, positionals: parts } = parseArgs({
  options: {
    calls: { type: "string", default: "10000" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
  },
  allowPositionals: true,
});
const calls = Number(values.calls);
const seed = Number(values.seed);

const MEGABYTE = 1_000_000;

let failed = 0;
for (const engine of childEngines()) {
  for (const transport of ["fetch", "nodeFetch"] as const) {
    const name = `${transport} on ${engine.name}`;
    if (parts.length > 0 && !parts.some((part) => name.includes(part))) continue;
    const start = performance.now();
    const { endings, memory, sockets, timers, listeners, requests, wrong } = await storm(engine, {
      transport,
      calls,
      seed,
    });
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    const told = Object.entries(endings).map(([ending, times]) => `${ending} ${times}`).join(", ");
    const used = memory.map((bytes) => (bytes / MEGABYTE).toFixed(1)).join(" ");
    process.stdout.write(
      `${
        wrong.length === 0 ? "✓" : "✗"
      } ${name}, seed ${seed}: ${calls} calls, ${requests} requests` +
        ` (${told}; ${seconds} s)\n  left: ${timers} timers, ${listeners} listeners,` +
        ` ${sockets} sockets; memory in MB: ${used}\n`,
    );
    for (const what of wrong) process.stdout.write(`  ${what}\n`);
    if (wrong.length > 0) failed++;
  }
}
process.exit(failed === 0 ? 0 : 1);
