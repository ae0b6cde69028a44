/**
 * What the client costs next to what the platform does by itself, as ratios of medians taken in turns.
 *
 *     deno run -A bench/report.ts     also with `bun` and `node`
 */

import { analyse } from "../src/sql/analyse.ts";
import { tokenize } from "../src/sql/tokenize.ts";
import { Answer } from "../src/wire/decode.ts";
import { encode } from "../src/wire/encode.ts";
import { skipWithoutRqlited, startRqlited } from "../tests/support/rqlited.ts";
import process from "node:process";
import { makeCalls } from "./support/calls.ts";
import { type Case, interleave } from "./support/interleave.ts";
import {
  bareStatements,
  plainAnswer,
  script,
  snowflakeAnswer,
  statements,
} from "./support/samples.ts";
import { startFixedServer } from "./support/server.ts";

/** One line: a case beside its baseline. */
interface Comparison {
  readonly name: string;
  readonly baseline: Case;
  readonly subject: Case;
  readonly rounds: number;
  /** The ratio it should stay under. */
  readonly goal?: number;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function compare({ name, baseline, subject, rounds, goal }: Comparison): Promise<void> {
  const times = await interleave({ baseline, subject }, rounds);
  const ratio = `${(times.subject / times.baseline).toFixed(2)} ×`;
  const figures = `${duration(times.subject)} against ${duration(times.baseline)}`;
  const wanted = goal === undefined ? "" : `goal ≤ ${goal} ×`;
  print(`${name.padEnd(44)} ${ratio.padStart(7)}   ${figures.padEnd(26)} ${wanted}`.trimEnd());
}

function duration(milliseconds: number): string {
  return milliseconds < 10
    ? `${Math.round(milliseconds * 1000)} µs`
    : `${Math.round(milliseconds)} ms`;
}

async function compareCalls(url: string, where: string, rounds: number): Promise<void> {
  const { bareRead, read, bareWrite, write, close } = await makeCalls(url);
  await compare({
    name: `query(), ${where}`,
    baseline: bareRead,
    subject: read,
    rounds,
    goal: 1.15,
  });
  await compare({
    name: `execute(), ${where}`,
    baseline: bareWrite,
    subject: write,
    rounds,
    goal: 1.15,
  });
  await close();
}

async function calls(): Promise<void> {
  print("One call against a bare fetch of the same body");
  const fixed = await startFixedServer();
  await compareCalls(fixed.url, "a server that does nothing", 2000).finally(fixed.stop);
  const absent = skipWithoutRqlited();
  if (absent) return print(`rqlited is left out: ${absent}`);
  const server = await startRqlited();
  await compareCalls(server.url, "rqlited on a memory disk", 1000).finally(() => server.stop());
}

const users = analyse("SELECT * FROM users");

function decode(text: string, rows: "object" | "array", integers: "number" | "auto"): Case {
  return () => new Answer(text).result(0, { analysis: users, rows, integers });
}

async function decoding(): Promise<void> {
  print("\nDecoding 100,000 rows of 6 columns against JSON.parse");
  const baseline = () => JSON.parse(plainAnswer) as unknown;
  const rounds = 15;
  await compare({
    name: "objects",
    baseline,
    subject: decode(plainAnswer, "object", "number"),
    rounds,
    goal: 1.5,
  });
  await compare({
    name: "arrays",
    baseline,
    subject: decode(plainAnswer, "array", "number"),
    rounds,
    goal: 1.5,
  });
  await compare({
    name: "objects with 64-bit ids, exact",
    baseline: () => JSON.parse(snowflakeAnswer) as unknown,
    subject: decode(snowflakeAnswer, "object", "auto"),
    rounds,
  });
}

async function encoding(): Promise<void> {
  print("\nEncoding 10,000 parameters against JSON.stringify");
  const baseline = () => JSON.stringify(bareStatements);
  await compare({ name: "encode()", baseline, subject: () => encode(statements), rounds: 100 });
}

async function tokenizing(): Promise<void> {
  print("\nSQL");
  const { time } = await interleave({ time: () => tokenize(script) }, 15);
  const bytes = new TextEncoder().encode(script).length;
  print(`tokenize() ${(bytes / 1000 / time).toFixed(0)} MB/s`);
}

await calls();
await decoding();
await encoding();
await tokenizing();
