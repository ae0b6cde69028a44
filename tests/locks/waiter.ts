/** Another process: raises the counter once under the lock, with default options only; prints whether it did. */

import process from "node:process";
import { connect } from "../../mod.ts";
import { connect as connectDbapi } from "../../src/dbapi/mod.ts";
import { withLock } from "../../src/locks/mod.ts";
import { makeLock } from "./make_lock.ts";
import type { WaiterJob } from "./waiting.ts";

const job = JSON.parse(process.argv[2]!) as WaiterJob;

// Whoever started this is gone.
process.stdin.once("end", () => process.exit(1)).resume();

const RAISE = "UPDATE counter SET n = n + 1";

const db = connect(job.url);
const { lock, close } = await makeLock(job.lock, db);

/** Every way to a lock. */
const WAYS: Record<WaiterJob["way"], () => Promise<unknown>> = {
  transaction: () => db.transaction((tx) => tx.execute(RAISE), { lock }),
  withLock: () => withLock([lock], () => db.transaction((tx) => tx.execute(RAISE))),
  dbapi: async () => {
    const connection = connectDbapi(job.url, { lock });
    await connection.execute(RAISE);
    await connection.commit();
    await connection.close();
  },
};

const done = await WAYS[job.way]().then(() => "done", String);
await close();
await db.close();
process.stdout.write(`${done}\n`, () => process.exit(0));
