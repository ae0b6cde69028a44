/**
 * How long it takes to import the package, with nothing loaded before.
 *
 *     deno run -A bench/import_time.ts     also with `bun` and `node`
 */

import { execFileSync } from "node:child_process";
import process from "node:process";

const ROUNDS = 15;

const module = new URL("../mod.ts", import.meta.url).href;
const program = `const start = performance.now();
await import(${JSON.stringify(module)});
console.log(performance.now() - start);`;
const flags = process.versions["deno"] !== undefined
  ? ["eval", "--no-check"]
  : ["--input-type=module", "--eval"];
const args = process.versions["bun"] !== undefined ? ["--eval"] : flags;

const times = Array.from(
  { length: ROUNDS },
  () => Number(execFileSync(process.execPath, [...args, program], { encoding: "utf8" })),
).sort((a, b) => a - b);
process.stdout.write(`import of mod.ts: ${times[Math.floor(ROUNDS / 2)]!.toFixed(1)} ms\n`);
