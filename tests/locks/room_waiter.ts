/** Another process: its tasks wait for one lock at the same time; each signs its turn where a second holder would show. */

import { appendFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { connect } from "../../mod.ts";
import { makeLock } from "./make_lock.ts";
import type { RoomJob, Turn } from "./room.ts";

const job = JSON.parse(process.argv[2]!) as RoomJob;

// Whoever started this is gone.
process.stdin.once("end", () => process.exit(1)).resume();

const db = connect(job.url, { timeout: 60_000 });
const { lock, close } = await makeLock(job.lock, db);
const [inside, turns] = [join(job.folder, "inside"), join(job.folder, "turns")];

/** Fails where another holder has not left; no lock is needed to tell. */
function enter(): boolean {
  try {
    writeFileSync(inside, "", { flag: "wx" });
    return true;
  } catch {
    return false;
  }
}

const tasks = Array.from({ length: job.tasks }, async (_, task) => {
  const handle = await lock.acquire({ timeout: 120_000 });
  const turn: Turn = { process: job.process, task, alone: enter() };
  appendFileSync(turns, JSON.stringify(turn) + "\n");
  await new Promise((resolve) => setTimeout(resolve, 1));
  if (turn.alone) rmSync(inside);
  await handle.release();
});
process.stdout.write("waiting\n");
await Promise.all(tasks);
await close();
await db.close();
process.exit(0);
