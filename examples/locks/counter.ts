/** What the examples of locks share: a counter, and processes that raise it. */

import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
// In your project these are "@tangled/rqlite" and "@tangled/rqlite/locks/…".
import { type Client, connect, type Executor, type Lock } from "../../mod.ts";
import { detail, done, failed, heading } from "../terminal.ts";

const PROCESSES = 3;
const ROUNDS = 25;

/** What `parseArgs` is to read from the command line. */
export const ARGS = {
  url: { type: "string", default: "http://localhost:4001" },
  /** Set in the processes that this starts: "locked" or "unlocked". */
  worker: { type: "string" },
} as const;

/** Reads, decides and writes: three steps that belong together. */
export async function raise(db: Executor): Promise<void> {
  const { rows: [row] } = await db.query<{ n: number }>("SELECT n FROM demo_counter");
  await db.execute("UPDATE demo_counter SET n = ?", [row!.n + 1]);
}

/** Sets the counter to 0. */
export async function reset(db: Executor): Promise<void> {
  await db.execute("DROP TABLE IF EXISTS demo_counter");
  await db.execute("CREATE TABLE demo_counter(n INTEGER NOT NULL)");
  await db.execute("INSERT INTO demo_counter VALUES(0)");
}

/** What the counter says. */
export async function read(db: Executor): Promise<number> {
  return (await db.query<{ n: number }>("SELECT n FROM demo_counter")).rows[0]!.n;
}

/** The work of one process: with the lock, each round is a transaction. */
export async function work(db: Client, lock: Lock | undefined): Promise<void> {
  await everybody();
  for (let round = 0; round < ROUNDS; round++) {
    if (lock === undefined) await raise(db);
    else await db.transaction(raise, { lock, timeout: 60_000 });
  }
}

/**
 * Starts processes that raise the counter, first without the lock, then with it.
 *
 * @param file The `import.meta.url` of the example, which does the work when it has the flag `--worker`.
 */
export async function race(file: string, url: string): Promise<void> {
  const db = connect(url);
  try {
    heading("Without a lock");
    await reset(db);
    await startAll(file, "unlocked");
    done(`${PROCESSES} processes added 1 ${ROUNDS} times each: 0 became ${await read(db)}`);
    detail("Between reading and writing, another process changed the counter");

    heading("With a lock");
    await reset(db);
    await startAll(file, "locked");
    done(`${PROCESSES} processes added 1 ${ROUNDS} times each: 0 became ${await read(db)}`);
    await db.execute("DROP TABLE demo_counter");
  } catch (error) {
    failed(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  } finally {
    await db.close();
  }
}

async function startAll(file: string, worker: "locked" | "unlocked"): Promise<void> {
  const engine = "deno" in process.versions ? ["run", "-A"] : process.execArgv;
  const args = [...engine, fileURLToPath(file), ...process.argv.slice(2), `--worker=${worker}`];
  const children = Array.from(
    { length: PROCESSES },
    () => spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] }),
  );
  const ended = children.map((child) =>
    new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    })
  );
  // All begin at once, or the first would be done before the last has started.
  const ready = children.map((child) =>
    new Promise<void>((resolve) => child.stdout.once("data", () => resolve()))
  );
  await Promise.race([Promise.all(ready), Promise.all(ended)]);
  for (const child of children) child.stdin.end();
  if ((await Promise.all(ended)).some((code) => code !== 0)) {
    throw new Error("One of the processes failed");
  }
}

/** Resolves when all processes are ready. */
function everybody(): Promise<void> {
  return new Promise((resolve) => {
    process.stdin.once("end", () => resolve()).resume();
    process.stdout.write("ready\n");
  });
}
