// Thousands of calls of one process while everything between it and its node breaks, and what has to be true then.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { type Client, connect } from "../../mod.ts";
import type { ChildEngine } from "../support/engines.ts";
import { freePort } from "../support/ports.ts";
import { type Fault, type Proxy, startProxy } from "../support/proxy.ts";
import { Random } from "../support/random.ts";
import { startRqlited } from "../support/rqlited.ts";
import { COUNTERS } from "./storm_calls.ts";
import type { StormJob, StormReport } from "./storm_child.ts";

/** How long a storm lasts, and which one it is. */
export type StormSize = Pick<StormJob, "transport" | "calls" | "seed">;

/** What a storm met. */
export interface Storm extends StormReport {
  /** Requests that reached a proxy. */
  readonly requests: number;
  /** What is not as it has to be; empty if all is well. */
  readonly wrong: readonly string[];
}

const http = (status: number, body: string, ...headers: string[]): string =>
  [`HTTP/1.1 ${status} X`, `content-length: ${body.length}`, ...headers, "", body].join("\r\n");

const HTML = "content-type: text/html";
const JSON_TYPE = "content-type: application/json";

/** What says nothing of the write: the node may have got it. */
const DOUBTFUL: readonly string[] = [
  http(200, "<html>welcome</html>", HTML),
  http(500, "<html>oops</html>", HTML),
  http(502, "<html>bad gateway</html>", HTML),
  http(503, "<html>overloaded</html>", HTML),
  http(504, "<html>timeout</html>", HTML),
  http(200, "{}", JSON_TYPE),
  http(200, '{"results":[{"last_insert', JSON_TYPE),
  http(200, '{"results":[]}', JSON_TYPE),
  http(200, "not compressed", "content-encoding: gzip", JSON_TYPE),
  "HTTP/1.1 200 X\r\ncontent-length: 5000\r\n\r\n{",
  "HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
  "\0\xff no HTTP at all\r\n\r\n",
  "",
];

/** What says that the node did nothing; it comes where that is so. */
const REFUSALS: readonly string[] = [
  http(503, "leader not found"),
  http(503, "busy", "retry-after: 0"),
  http(503, "busy", "retry-after: 100000"),
  http(429, "slowly", "retry-after: 0"),
  http(400, "what?"),
  http(401, "who?"),
  http(404, "where?"),
  http(301, "there", "location: http://127.0.0.1:1/db/query"),
  http(302, "log in", "location: http://login.invalid/"),
];

const PLAIN: readonly Fault[] = [
  ...["cut before", "cut after request", "cut after headers", "cut in body"] as const,
  ...["swallow", "swallow answer", "pass and close"] as const,
];

function anyFault(random: Random): Fault {
  // Often enough that most calls meet one, rarely enough that some transactions pass.
  if (random.below(100) < 75) return "pass";
  switch (random.below(6)) {
    case 0:
      return { delay: random.below(120) };
    case 1:
      return { hold: random.below(400) };
    case 2:
      return { instead: random.of(DOUBTFUL) };
    case 3:
      return { answer: random.of([...DOUBTFUL, ...REFUSALS]) };
    default:
      return random.of(PLAIN);
  }
}

/** Runs one storm between a process of that engine and a node. */
export async function storm(engine: ChildEngine, size: StormSize): Promise<Storm> {
  const proxies = [await startProxy("http://127.0.0.1:1"), await startProxy("http://127.0.0.1:1")];
  // What the node says of itself leads to a proxy again.
  const server = await startRqlited({ advertise: new URL(proxies[0]!.url).host });
  const db = connect(server.url);
  try {
    await db.batch([
      "CREATE TABLE t(k TEXT PRIMARY KEY NOT NULL) WITHOUT ROWID",
      "CREATE TABLE c(id INTEGER PRIMARY KEY, n INTEGER NOT NULL)",
      ...Array.from({ length: COUNTERS }, (_, i) => `INSERT INTO c VALUES(${i}, 0)`),
    ]);
    const random = new Random(size.seed + 1);
    for (const proxy of proxies) {
      proxy.target = server.url;
      proxy.plan = () => anyFault(random);
    }
    const dead = `http://127.0.0.1:${await freePort()}`;
    const report = await runChild(engine, { ...size, urls: proxies.map(({ url }) => url), dead });
    await Promise.all(proxies.map((proxy) => proxy.settled()));
    const requests = proxies.reduce((sum, proxy: Proxy) => sum + proxy.requests.length, 0);
    return { ...report, requests, wrong: await judge(db, report, size.calls) };
  } finally {
    await db.close();
    for (const proxy of proxies) await proxy.close();
    await server.stop();
  }
}

const CHILD = fileURLToPath(new URL("./storm_child.ts", import.meta.url));

const COLLECTABLE = { deno: ["--v8-flags=--expose-gc"], node: ["--expose-gc"], bun: [] };

/** Milliseconds after which a process that has not ended never will. */
const PATIENCE = 60_000;
const PATIENCE_PER_CALL = 100;

/** Resolves when the process has ended by itself. */
function runChild({ name, command, args }: ChildEngine, job: StormJob): Promise<StormReport> {
  const child = spawn(command, [...args, ...COLLECTABLE[name], CHILD, JSON.stringify(job)], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [output, log] = ["", ""];
  child.stdout.on("data", (bytes: Uint8Array) => output += String(bytes));
  // Engines say there what they met, too; it is of interest only where the process failed.
  child.stderr.on("data", (bytes: Uint8Array) => log += String(bytes));
  return new Promise((resolve, reject) => {
    // Something keeps it alive then.
    const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE + PATIENCE_PER_CALL * job.calls);
    child.once("error", reject);
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      if (code === 0) resolve(JSON.parse(output) as StormReport);
      else reject(new Error(`The process of the storm ended with ${code ?? signal}: ${log}`));
    });
  });
}

/** Bytes by which the memory in use may grow from a third of the calls to the last: what the report itself keeps. */
const GROWTH = 6_000_000;

/** Connections that an engine may keep for later calls. */
const KEPT = 200;

/** What would be wrong, and whether it is, or where. */
type Finding = readonly [what: string, found: boolean | readonly string[]];

async function judge(db: Client, report: StormReport, calls: number): Promise<string[]> {
  return [...await judgeWrites(db, report), ...judgeRest(report, calls)].flatMap(
    ([what, found]) => {
      if (typeof found === "boolean") return found ? [what] : [];
      return found.length === 0 ? [] : [`${what}: ${found.slice(0, 5).join("; ")}`];
    },
  );
}

async function judgeWrites(db: Client, { stored, absent }: StormReport): Promise<Finding[]> {
  const { rows } = await db.query<{ k: string }>("SELECT k FROM t");
  const keys = rows.map(({ k }) => k);
  const found = new Set(keys);
  const otherHalf = (key: string): string => key.replace(/^b./, (b) => b === "b1" ? "b2" : "b1");
  const committed = keys.filter((key) => key.startsWith("tx ")).length;
  return [
    ["acknowledged, but not stored", stored.filter((key) => !found.has(key))],
    ["failed as not applied, but stored", absent.filter((key) => found.has(key))],
    ["half a batch", keys.filter((key) => !found.has(otherHalf(key)))],
    ["half a transaction, or two", await db.value("SELECT sum(n) FROM c") !== committed],
  ];
}

function judgeRest(report: StormReport, calls: number): Finding[] {
  const { endings, raw, timers, listeners, sockets, memory } = report;
  const ended = Object.entries(endings)
    .reduce((sum, [ending, times]) => ending.startsWith("then ") ? sum : sum + times, 0);
  const growth = memory.at(-1)! - memory[3]!;
  return [
    ["neither an RqliteError nor the signal's reason", raw],
    ["calls that did not end", ended + raw.length < calls],
    [`timers left: ${timers}`, timers !== 0],
    [`listeners left: ${listeners}`, listeners !== 0],
    [`sockets left: ${sockets}`, sockets > KEPT],
    [`bytes kept: ${growth}`, growth > GROWTH],
  ];
}
