/**
 * The long form of tests/client/hostile_sql_test.ts: hostile texts by every call that takes SQL, beside another client that
 * has data and relies on settings. Prints how the calls ended; ends with code 1 where the server or the other client
 * suffered, or a call ended in another way than it should.
 *
 *     deno run -A tests/soak/hostile_sql.ts [--texts=100000] [--seed=N]
 */

import process from "node:process";
import { parseArgs } from "node:util";
import { attack, HOSTILE_ARGS } from "../client/hostile.ts";
import { startRqlited } from "../support/rqlited.ts";

const { values } = parseArgs({
  options: {
    texts: { type: "string", default: "100000" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
  },
});
const seed = Number(values.seed);
const texts = Number(values.texts);

const MEGABYTE = 1_000_000;

/** Texts between two lines of the output. */
const LINE = 5000;

process.stdout.write(`seed ${seed}\n`);
const server = await startRqlited({ args: HOSTILE_ARGS });
const start = performance.now();
const seconds = (): number => Math.round((performance.now() - start) / 1000);
const { endings, slowest, peak, wrong } = await attack(server, {
  texts,
  seed,
  slack: 1000,
  onLook: (sent) => sent % LINE === 0 && process.stdout.write(`${sent} texts, ${seconds()} s\n`),
});
const told = Array.from(endings).sort(([, a], [, b]) => b - a).map((ending) => ending.join(" "))
  .join(", ");
const sent = Array.from(endings.values()).reduce((sum, times) => sum + times, 0);
process.stdout.write(
  `${
    wrong.length === 0 ? "✓" : "✗"
  } seed ${seed}: ${sent} texts in ${seconds()} s; the server had at most ` +
    `${Math.round(peak / MEGABYTE)} MB, the other client waited at most ${
      Math.round(slowest)
    } ms for a write\n  ${told}\n`,
);
for (const what of wrong) process.stdout.write(`✗ ${what}\n`);
await server.stop();
process.exitCode = wrong.length === 0 ? 0 : 1;
