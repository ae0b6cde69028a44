/** Another process: raises a counter under a lock, so many times; prints what it met on the way. */

import process from "node:process";
import {
  connect,
  type Executor,
  LockLostError,
  LockTimeoutError,
  OutcomeUnknownError,
  RqliteError,
  TransactionConflictError,
} from "../../mod.ts";
import { withLock } from "../../src/locks/mod.ts";
import type { Job, Told } from "./crowd.ts";
import { makeLock } from "./make_lock.ts";

const job = JSON.parse(process.argv[2]!) as Job;

// Whoever started this is gone.
process.stdin.once("end", () => process.exit(1)).resume();

const told: Told = { runs: 0, conflicts: 0, lost: 0, timeouts: 0, unknown: 0, failures: 0 };

/** Stops the whole process, timers and all, as a machine that is out of breath would. */
function stop(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

function stopSometimes(): void {
  // In two places, so half as often in each.
  if (job.pauses !== undefined && Math.random() < job.pauses.share / 2) {
    stop(job.pauses.milliseconds);
  }
}

/** Stops where no look at a clock can help any more: between the last one and the sending of a commit. */
const slowFetch: typeof fetch = (input, init) => {
  if (String(init?.body).includes("UPDATE counter SET n")) stopSometimes();
  return fetch(input, init);
};

const db = connect(job.urls, { timeout: 60_000, fetch: slowFetch });
const { lock, close } = await makeLock(job.lock, db);

async function raise(tx: Executor): Promise<void> {
  told.runs++;
  const { rows: [row] } = await tx.query<{ n: number }>("SELECT n FROM counter");
  stopSometimes();
  await tx.execute("UPDATE counter SET n = ?", [row!.n + 1]);
}

/** One increment, by whatever keeps others away. */
async function raiseOnce(): Promise<void> {
  const { guarded, isolation } = job;
  const timeout = 60_000;
  if (guarded) await db.transaction(raise, { lock, isolation, retries: 1000, timeout });
  else await withLock(lock, () => raise(db), { timeout });
}

/** Whether it is certain that it was not applied, and worth another try. */
async function isUndone(error: unknown): Promise<boolean> {
  if (error instanceof LockLostError) told.lost++;
  else if (error instanceof LockTimeoutError) told.timeouts++;
  else if (error instanceof TransactionConflictError) told.conflicts++;
  else if (error instanceof OutcomeUnknownError) {
    told.unknown++;
    return !await wasApplied(error.id!);
  } else if (error instanceof RqliteError && error.retryable) told.failures++;
  else throw error;
  return true;
}

async function wasApplied(id: string): Promise<boolean> {
  for (;;) {
    const outcome = await db.outcome(id, { timeout: 60_000 }).catch(() => "away");
    if (outcome === "unknown") throw new Error("Nobody can tell any more");
    if (outcome !== "away") return outcome === "committed";
  }
}

for (let round = 0; round < job.rounds; round++) {
  for (;;) {
    try {
      await raiseOnce();
      break;
    } catch (error) {
      if (!await isUndone(error)) break;
    }
  }
  if (job.think > 0) await new Promise((resolve) => setTimeout(resolve, Math.random() * job.think));
}
await close();
await db.close();
process.stdout.write(JSON.stringify(told), () => process.exit(0));
