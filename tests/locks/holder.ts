/** Another process: holds a lock in a transaction, is stopped longer than the lease, and tells what it finds. */

import process from "node:process";
import { connect, type LockHandle, LockLostError, type Transaction } from "../../mod.ts";
import type { Found, HolderJob } from "./holding.ts";
import { makeLock } from "./make_lock.ts";

const job = JSON.parse(process.argv[2]!) as HolderJob;

// Whoever started this is gone.
process.stdin.once("end", () => process.exit(1)).resume();

const db = connect(job.url, { timeout: 60_000 });
const { lock, close } = await makeLock(job.lock, db);
const { handle, tx } = await hold();

/** Again where the machine was so busy that the lease ran out before anybody heard of it. */
async function hold(): Promise<{ handle: LockHandle; tx: Transaction }> {
  for (;;) {
    const handle = await lock.acquire({ timeout: 60_000 });
    const own = { name: handle.name, acquire: () => Promise.resolve(handle) };
    try {
      const tx = await db.begin({ lock: own });
      await tx.query("SELECT n FROM counter");
      await tx.execute("UPDATE counter SET n = 1000");
      return { handle, tx };
    } catch (error) {
      if (!(error instanceof LockLostError)) throw error;
    }
  }
}

/** Resolves in the first callback that runs behind the stop. */
function stopped(longer: number): Promise<void> {
  return new Promise((resolve) => {
    let last = performance.now();
    const timer = setInterval(() => {
      const now = performance.now();
      if (now - last > longer) {
        clearInterval(timer);
        resolve();
      }
      last = now;
    }, 5);
  });
}

// Before anybody hears of the lock, as the stop may follow at once.
const stop = job.blocks > 0 ? undefined : stopped(job.longer);
process.stdout.write("holding\n");
if (stop === undefined) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, job.blocks);
}
await stop;
const { held } = handle;
await new Promise((resolve) => setTimeout(resolve, 50));
const { aborted } = tx.signal;
const refused = await tx.commit().then(() => "committed", (error: Error) => error.name);
const found: Found = { held, aborted, refused, state: tx.state };
await close();
await db.close();
process.stdout.write(JSON.stringify(found) + "\n", () => process.exit(0));
