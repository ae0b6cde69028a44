import { inspect } from "node:util";
import { type Difference, type Verification, verifyReplicas } from "../doctor/mod.ts";
import type { Row } from "../sql/value.ts";
import { command, TABLES } from "./command.ts";
import { EXIT, UsageError } from "./exit.ts";
import { json } from "./format_rows.ts";
import { harmless, type Paint } from "./terminal.ts";

/** Of the whole comparison, in milliseconds, where nothing else is said. */
const TIMEOUT = 600_000;

/** `doctor`: are all nodes equal, and if not, where and why. */
export const doctor = command({
  name: "doctor",
  summary: "compares all nodes row by row; reads only",
  operands: "",
  count: [0, 0],
  options: {
    ...TABLES,
    map: {
      type: "string",
      multiple: true,
      value: "ADDRESS=ADDRESS",
      help: "where the node is that the cluster names by the first address, as behind NAT",
    },
  },
  details:
    "The exit code is 0 where the nodes are equal, 3 where they are not, and 1 where that cannot be told. --timeout is\n" +
    "of the whole comparison here, and 600 if it is not given.",
  async run({ values: { table, map = [] }, timeout = TIMEOUT, connect, ...session }) {
    const { embedded, place, output, progress, signal } = session;
    const places = new Map(map.map(pairOf));
    const db = await connect({ mapNode: (apiUrl) => places.get(apiUrl) ?? apiUrl });
    progress.tell("asking the nodes");
    const onProgress = (name: string, rows: number) => progress.tell(`${name}: ${rows} rows`);
    const verified = await verifyReplicas(db, { tables: table, timeout, signal, onProgress });
    const found = embedded ? { ...verified, nodes: [place] } : verified;
    await progress.end();
    await output.write(output.json ? `${json(found)}\n` : report(found, output.paint));
    return found.equal ? EXIT.done : EXIT.notEqual;
  },
});

function pairOf(pair: string): [string, string] {
  const [advertised = "", place = "", ...rest] = pair.split("=");
  if (advertised !== "" && place !== "" && rest.length === 0) return [advertised, place];
  throw new UsageError(
    `Cannot read --map ${pair}: write --map http://node2:4001=http://localhost:4003`,
  );
}

function report({ equal, nodes, differences, hazards }: Verification, paint: Paint): string {
  const lines = [
    paint.bold(`${nodes.length} node${nodes.length === 1 ? "" : "s"}: ${nodes.join(", ")}`),
    ...(equal
      ? [`  ${paint.green("✓")} equal`]
      : differences.flatMap((one) => differenceLines(one, paint))),
  ];
  if (hazards.length > 0) lines.push("", paint.bold("What may make them differ"));
  for (const { kind, name, advice } of hazards) {
    lines.push(`  ${kind}: ${harmless(name)}`, `    ${paint.dim(advice)}`);
  }
  return `${lines.join("\n")}\n`;
}

function differenceLines({ table, rows, versions }: Difference, { red, dim }: Paint): string[] {
  return [
    `  ${red("✗")} ${harmless(table)}: ${rows} row${rows === 1 ? " differs" : "s differ"}, such as`,
    ...versions.map(({ node, row }) => `    ${dim(`${node}  ${rowText(row)}`)}`),
  ];
}

function rowText(row: Row | undefined): string {
  if (row === undefined) return "no such row";
  const oneLine = { breakLength: Infinity, compact: true };
  return harmless(inspect(row, { ...oneLine, maxStringLength: 60, maxArrayLength: 16 }));
}
