import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { type Client, connect } from "../../mod.ts";
import { childEngines } from "../support/engines.ts";
import type { LockPlan } from "./make_lock.ts";

/** What one process does. */
export interface Job {
  /** The nodes that it knows. */
  readonly urls: readonly string[];
  readonly rounds: number;
  readonly lock: LockPlan;
  /** In transactions; otherwise the lock is all there is. */
  readonly guarded: boolean;
  /** "none" leaves the version of the lock as the only guard. */
  readonly isolation: "serializable" | "none";
  /** How many of its runs stop the whole process between reading and writing, and for how long. */
  readonly pauses?: { readonly share: number; readonly milliseconds: number };
  /** The longest rest between two rounds, in milliseconds. */
  readonly think: number;
}

/** What processes met. */
export interface Told {
  /** Of the function. */
  runs: number;
  conflicts: number;
  lost: number;
  timeouts: number;
  unknown: number;
  failures: number;
}

/** Many processes that raise one counter. */
export interface Crowd extends Omit<Job, "urls" | "think" | "isolation" | "guarded"> {
  readonly processes: number;
  readonly guarded?: boolean;
  readonly isolation?: Job["isolation"];
  readonly think?: number;
  /** Process i knows the address i, and begins again behind the last. */
  readonly urls: readonly string[];
  /** Works against them as long as they run. */
  readonly trouble?: (over: AbortSignal) => Promise<void>;
}

const WORKER = fileURLToPath(new URL("./worker.ts", import.meta.url));

/** Makes the counter. */
export async function makeCounter(db: Client): Promise<void> {
  await db.execute("CREATE TABLE counter(n INTEGER NOT NULL)");
  await db.execute("INSERT INTO counter VALUES(0)");
}

/** What the counter says. */
export async function readCounter(db: Client): Promise<number> {
  return (await db.query<{ n: number }>("SELECT n FROM counter")).rows[0]!.n;
}

/** Lets the processes work, on every engine at hand, until all of them are done. */
export async function runCrowd(crowd: Crowd): Promise<Told> {
  const { processes, trouble, urls, think = 0, ...rest } = crowd;
  const { guarded = true, isolation = "serializable" } = crowd;
  const engines = childEngines();
  const over = new AbortController();
  const troubled = trouble?.(over.signal);
  // A trouble that fails must not be an unhandled rejection while the processes work.
  troubled?.catch(() => {});
  const children: ChildProcess[] = [];
  const work = Array.from({ length: processes }, (_, i) => {
    const { command, args } = engines[i % engines.length]!;
    const job: Job = { ...rest, guarded, isolation, think, urls: [urls[i % urls.length]!] };
    const child = spawn(command, [...args, WORKER, JSON.stringify(job)], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    children.push(child);
    return resultOf(child);
  });
  try {
    const told = await Promise.all(work);
    return told.reduce(add);
  } finally {
    for (const child of children) child.kill("SIGKILL");
    await Promise.allSettled(work);
    over.abort();
    await troubled;
  }
}

/** Processes that raise a counter on a database which has none yet; answers what it says in the end, and what they met. */
export async function count(
  url: string,
  crowd: Omit<Crowd, "urls">,
  urls: readonly string[] = [url],
): Promise<Told & { readonly n: number }> {
  const db = connect(url, { timeout: 60_000 });
  try {
    await makeCounter(db);
    const told = await runCrowd({ ...crowd, urls });
    return { n: await readCounter(db), ...told };
  } finally {
    await db.close();
  }
}

function resultOf(child: ChildProcess): Promise<Told> {
  let output = "";
  child.stdout?.on("data", (bytes: Uint8Array) => output += String(bytes));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      if (code === 0) resolve(JSON.parse(output) as Told);
      else reject(new Error(`A process of the crowd ended with ${code ?? signal}`));
    });
  });
}

function add(a: Told, b: Told): Told {
  return {
    runs: a.runs + b.runs,
    conflicts: a.conflicts + b.conflicts,
    lost: a.lost + b.lost,
    timeouts: a.timeouts + b.timeouts,
    unknown: a.unknown + b.unknown,
    failures: a.failures + b.failures,
  };
}
