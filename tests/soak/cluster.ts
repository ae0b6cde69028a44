/**
 * The long form of tests/clusters/soak_test.ts: every workload on three nodes that are broken all the time, by this client
 * and by a naive one. Prints a table; `--json=FILE` writes it with all violations; ends with code 1 where this client
 * violates a property. The order of faults depends on the seed alone, and `--list` shows it.
 *
 *     deno run -A tests/soak/cluster.ts [--rounds=12] [--naive=3] [--seed=N] [--workers=3] [--json=FILE] [--list]
 */

import { writeFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { faultOrder, LANE_NAMES } from "../clusters/faults.ts";
import { soak, type SoakReport, type SoakSize } from "../clusters/soak.ts";
import { tableOf } from "../clusters/table.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "12" },
    naive: { type: "string", default: "3" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    workers: { type: "string", default: "3" },
    json: { type: "string" },
    list: { type: "boolean", default: false },
  },
});
const seed = Number(values.seed);
const print = (text: string): void => void process.stdout.write(`${text}\n`);

print(`seed ${seed}`);
if (values.list) {
  for (const lane of LANE_NAMES) {
    for (const name of faultOrder(seed, lane, Number(values.rounds))) print(`${lane}: ${name}`);
  }
  process.exit(0);
}

const size = { seed, hold: 1_500, calm: 400, workers: Number(values.workers), tasks: 2, rest: 100 };

async function run(kind: SoakSize["kind"], rounds: number): Promise<SoakReport | undefined> {
  if (rounds === 0) return undefined;
  const start = Date.now();
  const onFault = (name: string) =>
    print(`${((Date.now() - start) / 1000).toFixed(1).padStart(6)} s  ${name}`);
  return await soak({ ...size, kind, rounds, onFault });
}

const ours = await run("ours", Number(values.rounds));
const naive = await run("naive", Number(values.naive));
const reports = [ours, naive].filter((report) => report !== undefined);
print(tableOf(reports));
for (const { kind, findings } of reports) {
  for (const { property, workload, violations } of findings) {
    for (const violation of violations.slice(0, 5)) {
      print(`${kind}, ${property} (${workload}): ${violation.slice(0, 500)}`);
    }
  }
}
if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(reports, undefined, 2));
const wrong = ours?.findings.some(({ violations }) => violations.length > 0);
process.exit(wrong ? 1 : 0);
