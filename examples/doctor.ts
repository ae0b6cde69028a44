/**
 * Are all nodes of a cluster equal, and if not, where and why. Reads every node, writes nothing.
 *
 *     deno run -A examples/doctor.ts http://user:password@node1:4001
 *     deno run -A examples/doctor.ts http://localhost:4001 --map http://node2:4001=http://localhost:4003
 *
 * Ends with 0 where they are equal, with 1 where they are not, and with 2 where that cannot be told. Also
 * `bun examples/doctor.ts` and `node examples/doctor.ts`.
 */

import process from "node:process";
import { inspect, parseArgs } from "node:util";
// In your project these two are "@tangled/rqlite" and "@tangled/rqlite/doctor".
import { connect, type Row } from "../mod.ts";
import { type Difference, type Verification, verifyReplicas } from "../src/doctor/mod.ts";
import { detail, done, failed, heading, status } from "./terminal.ts";

const USAGE =
  `Usage: deno run -A examples/doctor.ts [--timeout SECONDS] [--table NAME]… [--map ADDRESS=ADDRESS]… URL…

  URL        one node or several, with the user and the password if there are any
  --timeout  of the whole comparison; 600 if it is not given
  --table    compares only this one; may be given several times
  --map      where the node is that the cluster names by the first address, such as behind NAT`;

function shown(row: Row | undefined): string {
  if (row === undefined) return "no such row";
  return inspect(row, { breakLength: Infinity, maxStringLength: 60, maxArrayLength: 16 });
}

function tell({ table, rows, versions }: Difference): void {
  failed(`${table}: ${rows} row${rows === 1 ? " differs" : "s differ"}, such as`);
  for (const { node, row } of versions) detail(`${node}  ${shown(row)}`);
}

function report({ equal, nodes, differences, hazards }: Verification): void {
  heading(`${nodes.length} node${nodes.length === 1 ? "" : "s"}: ${nodes.join(", ")}`);
  differences.forEach(tell);
  if (equal) done("equal");
  if (hazards.length > 0) heading("What may make them differ");
  for (const { kind, name, advice } of hazards) {
    console.log(`  ${kind}: ${name}`);
    detail(advice);
  }
}

function readFlags() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      timeout: { type: "string", default: "600" },
      table: { type: "string", multiple: true },
      map: { type: "string", multiple: true, default: [] },
      help: { type: "boolean" },
    },
  });
  if (positionals.length === 0 && !values.help) throw new TypeError("No URL is given");
  const places = new Map(values.map.map((pair) => {
    const [advertised = "", place = "", ...rest] = pair.split("=");
    if (place === "" || rest.length > 0) throw new TypeError(`Cannot read --map ${pair}`);
    return [advertised, place];
  }));
  return { ...values, places, urls: positionals };
}

async function main(): Promise<number> {
  const { urls, places, table, timeout, help } = readFlags();
  if (help) {
    console.log(USAGE);
    return 0;
  }
  const mapNode = (apiUrl: string) => places.get(apiUrl) ?? apiUrl;
  const db = connect(urls, { mapNode, timeout: Number(timeout) * 1000 });
  try {
    const onProgress = (table: string, rows: number) => status(`${table}: ${rows} rows`);
    const verification = await verifyReplicas(db, { tables: table, onProgress });
    status();
    report(verification);
    return verification.equal ? 0 : 1;
  } finally {
    await db.close();
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  status();
  const { name, message } = error as Error;
  failed(`${name}: ${message}`);
  if (error instanceof TypeError) console.error(`\n${USAGE}`);
  process.exitCode = 2;
}
