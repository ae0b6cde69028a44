/**
 * The long form of tests/replicas/loops_test.ts: half a minute for each loop, by one worker and by eight. Prints how many
 * writes were acknowledged; ends with code 1 where a write was refused or lost, or the replicas differ.
 *
 *     deno run -A tests/soak/replicas.ts [PART OF A NAME …]
 */

import process from "node:process";
import { LOOPS } from "../replicas/loops.ts";

const MILLISECONDS = 30_000;

const parts = process.argv.slice(2);
let wrong = 0;
for (const { name, run } of LOOPS) {
  if (parts.length > 0 && !parts.some((part) => name.includes(part))) continue;
  for (const workers of [1, 8]) {
    const result = await run({ milliseconds: MILLISECONDS, workers }).then(
      (writes) => `✓ ${name}, ${workers} at once: ${writes} writes`,
      (error) => `✗ ${name}, ${workers} at once: ${error}`,
    );
    if (result.startsWith("✗")) wrong++;
    process.stdout.write(`${result}\n`);
  }
}
process.exit(wrong === 0 ? 0 : 1);
