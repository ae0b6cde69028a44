/**
 * A job that is due every second and runs on one of several processes, at most once each time: also where the process
 * that leads is killed, or was stopped and goes on.
 *
 *     deno run -A examples/cron.ts http://localhost:4001     in three terminals; then kill -9 the one that ticks
 *     deno run -A examples/cron.ts                           alone and in memory, three times
 *
 * Ctrl-C resigns, and another process leads at once; `--every` and `--lease` are milliseconds, `--ticks` ends it by itself.
 * Also with `bun` and `node`.
 */

import process from "node:process";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
// In your project these are "@tangled/rqlite", "@tangled/rqlite/embedded", "…/lead" and "…/locks/rqlite".
import { connect, RqliteError } from "../mod.ts";
import { embedded } from "../src/embedded/mod.ts";
import { lead } from "../src/lead/mod.ts";
import { RqliteLock } from "../src/locks/rqlite.ts";
import { detail, done, failed, heading } from "./terminal.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    every: { type: "string", default: "1000" },
    lease: { type: "string", default: "6000" },
    ticks: { type: "string" },
  },
});
const alone = positionals.length === 0;
const every = Number(values.every);
if (!(every >= 10)) throw new TypeError(`Cannot tick every ${values.every} milliseconds`);
let left = Number(values.ticks ?? (alone ? 3 : Infinity));

const db = connect(alone ? embedded() : positionals);
const lock = new RqliteLock({ name: "demo_job", client: db, leaseDuration: Number(values.lease) });
const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM"]) process.once(name, () => stop.abort());

/** Whether the tick ran here; otherwise it was another leader's, or one is newer. */
async function run(tick: number, token: bigint, signal: AbortSignal): Promise<boolean> {
  return await db.transaction(async (tx) => {
    const { rowsAffected } = await tx.execute(
      `UPDATE demo_job SET token = :token, tick = :tick
       WHERE name = 'report' AND token <= :token AND tick < :tick`,
      { token, tick },
    );
    if (rowsAffected === 0) return false;
    // The work, in the same transaction: it is done with the tick or not at all.
    await tx.execute("INSERT INTO demo_ticks(tick, token, pid) VALUES(?, ?, ?)", [
      ...[tick, token, process.pid],
    ]);
    return true;
  }, { signal });
}

heading(`Process ${process.pid} wants to lead`);
await db.script(`
  CREATE TABLE IF NOT EXISTS demo_job(
    name  TEXT PRIMARY KEY,
    token INTEGER NOT NULL,
    tick  INTEGER NOT NULL
  );
  CREATE TABLE IF NOT EXISTS demo_ticks(
    id    INTEGER PRIMARY KEY AUTOINCREMENT,
    tick  INTEGER NOT NULL,
    token INTEGER NOT NULL,
    pid   INTEGER NOT NULL
  );
  INSERT OR IGNORE INTO demo_job VALUES('report', 0, 0);
`);
try {
  await lead(lock, async ({ signal, fencingToken }) => {
    done(`leads, with the token ${fencingToken}`);
    while (left > 0) {
      const tick = Math.floor(Date.now() / every) + 1;
      await setTimeout(tick * every - Date.now(), undefined, { signal });
      try {
        const mine = await run(tick, fencingToken!, signal);
        detail(mine ? `tick ${tick}` : `tick ${tick} is not this leader's`);
        if (mine) left--;
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof RqliteError)) throw error;
        failed(`tick ${tick}: ${error.message}`); // the row tells whether it ran; the next one may
      }
    }
  }, { signal: stop.signal });
} catch (error) {
  if (!stop.signal.aborted) throw error;
  done("resigned");
}
await db.close();
