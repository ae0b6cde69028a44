/**
 * Eight writers that never pause, and a line that tells how they are doing while you end nodes of the cluster. At the end
 * every row that a writer was told of is looked for.
 *
 *     deno run -A examples/failover.ts http://localhost:4001 http://localhost:4003 http://localhost:4005
 *     deno run -A examples/failover.ts                                                                      in memory
 *
 * Ends after `--seconds`, or by Ctrl-C; with 0 if each of these rows is there once. Also with `bun` and `node`.
 */

import process from "node:process";
import { parseArgs } from "node:util";
// In your project these two are "@tangled/rqlite" and "@tangled/rqlite/embedded".
import { type Client, connect } from "../mod.ts";
import { embedded } from "../src/embedded/mod.ts";
import { detail, done, failed, heading, status } from "./terminal.ts";

const WRITERS = 8;

/** What the writers have seen so far. */
interface Progress {
  /** How many of its rows each writer was told of. */
  readonly told: number[];
  /** Milliseconds of the longest write. */
  longest: number;
  /** The first node that leads, and all that followed. */
  readonly leaders: string[];
  readonly errors: unknown[];
}

async function write(db: Client, writer: number, progress: Progress, signal: AbortSignal) {
  while (!signal.aborted) {
    const since = performance.now();
    const n = progress.told[writer]! + 1;
    try {
      await db.execute("INSERT INTO demo_visits(writer, n) VALUES(?, ?)", [writer, n]);
      progress.told[writer] = n;
    } catch (error) {
      progress.errors.push(error);
      return;
    } finally {
      progress.longest = Math.max(progress.longest, performance.now() - since);
    }
  }
}

async function watch(db: Client, progress: Progress, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    // While there is no leader nobody knows one.
    const leader = await db.leader({ timeout: 2_000 }).catch(() => undefined);
    const url = leader?.apiUrl ?? "nobody";
    if (url !== progress.leaders.at(-1)) progress.leaders.push(url);
    tell(progress);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

function tell({ told, longest, leaders }: Progress): void {
  const longestWrite = `longest write ${longest.toFixed(0)} ms`;
  status(`${sum(told)} rows, ${longestWrite}, leader ${leaders.at(-1)}`);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}

/** How many rows are missing, or there twice. */
async function mistakes(db: Client, told: readonly number[]): Promise<number> {
  const { rows } = await db.query<{ writer: number; count: number; different: number }>(
    "SELECT writer, count(*) AS count, count(DISTINCT n) AS different FROM demo_visits GROUP BY writer",
    [],
    { level: "strong" },
  );
  const found = new Map(rows.map((row) => [row.writer, row]));
  return sum(told.map((n, writer) => {
    const { count = 0, different = 0 } = found.get(writer) ?? {};
    return Math.max(0, n - different) + count - different;
  }));
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: "string", default: "2" } },
});
const milliseconds = Number(values.seconds) * 1000;
if (!(milliseconds > 0)) throw new TypeError(`Cannot write for ${values.seconds} seconds`);
const db = connect(positionals.length > 0 ? positionals : embedded());
const end = new AbortController();
process.once("SIGINT", () => end.abort());
const timer = setTimeout(() => end.abort(), milliseconds);

heading(`${WRITERS} writers for ${values.seconds} s`);
await db.script(`
  DROP TABLE IF EXISTS demo_visits;
  CREATE TABLE demo_visits(
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    writer INTEGER NOT NULL,
    n      INTEGER NOT NULL,
    at     TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
  );
`);
const told = Array.from({ length: WRITERS }, () => 0);
const progress: Progress = { told, longest: 0, leaders: [], errors: [] };
const writers = told.map((_, writer) => write(db, writer, progress, end.signal));
await Promise.all([...writers, watch(db, progress, end.signal)]);
clearTimeout(timer);
status();

done(`${sum(told)} rows were written; the longest write took ${progress.longest.toFixed(0)} ms`);
detail(`led by ${progress.leaders.join(", then ")}`);
for (const error of progress.errors) failed(String(error));
const wrong = await mistakes(db, told);
if (wrong === 0) done("Each of them is there, once");
else failed(`${wrong} of them are missing or there twice`);
await db.close();
process.exitCode = wrong + progress.errors.length === 0 ? 0 : 1;
