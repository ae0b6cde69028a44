// The process of a storm: makes calls through what breaks, and tells what became of them.
import process from "node:process";
import { type Client, connect, OutcomeUnknownError, RqliteError } from "../../mod.ts";
import { nodeFetch } from "../../src/node/mod.ts";
import { countingSignal } from "../support/counting_signal.ts";
import { Random } from "../support/random.ts";
import { anyCall, anyEnding, type StormCall } from "./storm_calls.ts";
import { openSockets, usedMemory, watchTimers } from "./storm_watch.ts";

/** What the process is given. */
export interface StormJob {
  readonly transport: "fetch" | "nodeFetch";
  /** Nodes, all of which break. */
  readonly urls: readonly string[];
  /** A node that is not there. */
  readonly dead: string;
  readonly calls: number;
  readonly seed: number;
}

/** What it tells. */
export interface StormReport {
  /** How often calls ended how; "ok" is an answer, "reason" that of the signal. */
  readonly endings: Readonly<Record<string, number>>;
  /** Rows that were acknowledged. */
  readonly stored: readonly string[];
  /** Rows of calls that failed as not applied. */
  readonly absent: readonly string[];
  /** What no caller should be told, and what nobody was told. */
  readonly raw: readonly string[];
  /** What a closed client has left, at most. */
  readonly timers: number;
  readonly listeners: number;
  /** What is open in the end. */
  readonly sockets: number;
  /** Bytes in use, a tenth of the calls apart. */
  readonly memory: readonly number[];
}

/** Calls of one client, and how many of them at once. */
const ROUND = 100;
const AT_ONCE = 25;

const job = JSON.parse(process.argv[2]!) as StormJob;
const random = new Random(job.seed);
const timers = watchTimers();
const { signal: shared, count: listeners } = countingSignal();
const transport = job.transport === "nodeFetch" ? nodeFetch() : undefined;
const endings: Record<string, number> = {};
const stored: string[] = [];
const absent: string[] = [];
const raw: string[] = [];

for (const event of ["unhandledRejection", "uncaughtException"]) {
  process.on(event, (error: unknown) => raw.push(`${event}: ${shown(error)}`));
}

function shown(error: unknown): string {
  return error instanceof Error ? `${error.stack}; cause: ${error.cause}` : String(error);
}

function count(ending: string): void {
  endings[ending] = (endings[ending] ?? 0) + 1;
}

function anyClient(): Client {
  const urls = [...job.urls];
  if (random.below(4) === 0) urls.splice(random.below(urls.length), 1);
  if (random.below(4) === 0) urls.splice(random.below(urls.length + 1), 0, job.dead);
  let asked = 0;
  const failing = random.below(5) === 0;
  const credentials = async (): Promise<{ username: string; password: string }> => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    if (failing && ++asked % 10 === 0) throw new TypeError("no credentials");
    return { username: "u", password: "p" };
  };
  return connect(urls, {
    ...(transport && { fetch: transport }),
    ...(random.below(3) === 0 && { credentials }),
    ...(random.below(2) === 0 && { signal: shared }),
    timeout: random.of([200, 500, 1500]),
    retries: random.of([0, 1, 3]),
    discover: random.below(3) === 0,
    level: random.of(["weak", "linearizable", "none"] as const),
  });
}

async function call(db: Client, { kind, keys, run }: StormCall): Promise<void> {
  const { options, before, done } = anyEnding(shared, random);
  try {
    await run(db, options);
    stored.push(...keys);
    count("ok");
  } catch (error) {
    const aborted = options.signal?.aborted && error === options.signal.reason;
    if (aborted) count("reason");
    else if (error instanceof RqliteError) count(error.name);
    else raw.push(`${kind}: ${shown(error)}`);
    if (error instanceof OutcomeUnknownError) await ask(db, kind, keys);
    else if (before || !aborted) absent.push(...keys);
  } finally {
    done();
  }
}

/** What became of a write with an id; whoever asks is told the truth, or nothing. */
async function ask(db: Client, kind: string, keys: readonly string[]): Promise<void> {
  if (kind !== "execute with an id") return;
  const outcome = await db.outcome(keys[0]!).catch((error: unknown) => {
    if (!(error instanceof RqliteError)) raw.push(`outcome: ${shown(error)}`);
    return "unknown";
  });
  count(`then ${outcome}`);
  if (outcome === "committed") stored.push(...keys);
  if (outcome === "not committed") absent.push(...keys);
}

async function round(from: number, to: number): Promise<void> {
  const db = anyClient();
  let next = from;
  const closesAt = random.below(3) === 0 ? to - 1 - random.below(AT_ONCE) : to;
  const worker = async (): Promise<void> => {
    while (next < to) {
      const key = String(next++);
      if (next - 1 === closesAt) void db.close();
      await call(db, anyCall(key, random));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  await db.close();
}

const memory: number[] = [];
const left = { timers: 0, listeners: 0 };
for (let from = 0; from < job.calls; from += ROUND) {
  await round(from, Math.min(from + ROUND, job.calls));
  left.timers = Math.max(left.timers, timers());
  left.listeners = Math.max(left.listeners, listeners());
  while (memory.length < Math.floor(10 * (from + ROUND) / job.calls)) {
    memory.push(await usedMemory());
  }
}
transport?.close();
const report: StormReport = {
  endings,
  stored,
  absent,
  raw,
  ...left,
  sockets: openSockets(),
  memory,
};
// It ends by itself: whatever is left that keeps it alive is seen.
process.stdout.write(`${JSON.stringify(report)}\n`);
