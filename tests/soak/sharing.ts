/**
 * The long form of tests/client/sharing_test.ts: 64 callers of one client for five minutes, whose reads and writes share
 * requests; some fail, some answer much, some are aborted. Prints the memory in use by the minute; ends with code 1 where a
 * write was lost or doubled, a read told another's row, a listener was left, or memory grew.
 *
 *     deno run -A --v8-flags=--expose-gc tests/soak/sharing.ts [--minutes=5] [--seed=N]
 */

import process from "node:process";
import { parseArgs } from "node:util";
import { connect, IntegrityError } from "../../mod.ts";
import { countingSignal } from "../support/counting_signal.ts";
import { sleep } from "../support/http.ts";
import { Random } from "../support/random.ts";
import { startRqlited } from "../support/rqlited.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "5" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
  },
});

const CALLERS = 64;
const MINUTE = 60_000;
const MEGABYTE = 1_000_000;

/** Megabytes by which the memory in use may grow from the first minute to the last. */
const MOST_GROWTH = 3;

const { gc } = globalThis as { gc?: () => void };
if (gc === undefined) throw new Error("Start it with --v8-flags=--expose-gc");

function inUse(): number {
  gc!();
  return process.memoryUsage().heapUsed / MEGABYTE;
}

const source = new Random(Number(values.seed));
const random = (): number => source.below(1_000_000) / 1_000_000;
const server = await startRqlited();
let requests = 0;
const db = connect(server.url, { onRequest: () => requests++ });
const wrong: string[] = [];
const kept = countingSignal();
let calls = 0;
let over = false;

/** Counts in a row of its own among everything else. */
async function call(id: number): Promise<void> {
  let [applied, open] = [0, 0];
  while (!over) {
    calls++;
    const fate = random();
    try {
      if (fate < 0.4) {
        const told = await db.value("SELECT id FROM counts WHERE id = ?", [id], {
          signal: kept.signal,
        });
        if (told !== id) wrong.push(`caller ${id} was told ${told}`);
      } else if (fate < 0.8) {
        const { rowsAffected } = await db.execute(
          "UPDATE counts SET n = n + 1 WHERE id = ?",
          [id],
          {
            signal: kept.signal,
          },
        );
        applied++;
        if (rowsAffected !== 1) wrong.push(`caller ${id} changed ${rowsAffected} rows`);
      } else if (fate < 0.85) {
        const error = await db.execute("INSERT INTO counts VALUES(?, 0)", [id]).catch((e) => e);
        if (!(error instanceof IntegrityError)) wrong.push(`caller ${id} met ${error}`);
      } else if (fate < 0.9) {
        await db.query("SELECT hex(zeroblob(?)) AS text", [Math.floor(40_000 * random())]);
      } else {
        const controller = new AbortController();
        const { signal } = controller;
        const ended = (fate < 0.95
          ? db.execute("UPDATE counts SET n = n + 1 WHERE id = ?", [id], { signal })
          : db.query("SELECT n FROM counts WHERE id = ?", [id], { signal }))
          .then(() =>
            true, () => false);
        await sleep(3 * random());
        controller.abort();
        const done = await ended;
        if (fate < 0.95) done ? applied++ : open++;
      }
    } catch (error) {
      wrong.push(`caller ${id} met ${error}`);
    }
  }
  // What was aborted may still be on its way.
  await sleep(1000);
  const n = await db.value<number>("SELECT n FROM counts WHERE id = ?", [id], { level: "strong" });
  if (n! < applied || n! > applied + open) {
    wrong.push(`caller ${id} counted ${n}, applied ${applied} and aborted ${open}`);
  }
}

await db.execute("CREATE TABLE counts(id INTEGER PRIMARY KEY, n INTEGER)");
const ids = Array.from({ length: CALLERS }, (_, id) => id);
await Promise.all(ids.map((id) => db.execute("INSERT INTO counts VALUES(?, 0)", [id])));
const callers = ids.map(call);
const memory: number[] = [];
for (let minute = 0; minute < Number(values.minutes); minute++) {
  await sleep(MINUTE);
  memory.push(inUse());
  process.stdout.write(`${calls} calls, ${requests} requests, ${memory.at(-1)!.toFixed(1)} MB\n`);
}
over = true;
await Promise.all(callers);
if (kept.count() > 0) wrong.push(`${kept.count()} listeners are left`);
if (memory.at(-1)! - memory[0]! > MOST_GROWTH) wrong.push("memory grew");
for (const what of new Set(wrong)) process.stdout.write(`✗ ${what}\n`);
process.stdout.write(`${wrong.length === 0 ? "✓" : "✗"} seed ${values.seed}\n`);
await db.close();
await server.stop();
process.exitCode = wrong.length === 0 ? 0 : 1;
