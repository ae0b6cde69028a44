import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connect } from "../../mod.ts";
import { childEngines } from "../support/engines.ts";
import { type LockPlan, makeLock } from "./make_lock.ts";

/** What one process of a {@linkcode Room} does. */
export interface RoomJob {
  /** Its number. */
  readonly process: number;
  readonly url: string;
  readonly lock: LockPlan;
  /** How many of its tasks wait at the same time. */
  readonly tasks: number;
  /** Where holders sign. */
  readonly folder: string;
}

/** Tasks of several processes that wait for one lock, all of them before the first one gets it. */
export interface Room {
  readonly lock: LockPlan;
  /** Process i knows the address i, and begins again behind the last. */
  readonly urls: readonly string[];
  readonly processes: number;
  readonly tasks: number;
}

/** One turn, in the order of turns. */
export interface Turn {
  readonly process: number;
  readonly task: number;
  /** Whether another was there. */
  readonly alone: boolean;
}

const WAITER = fileURLToPath(new URL("./room_waiter.ts", import.meta.url));

/** Lets all of them have the lock once; answers who had it when. */
export async function runRoom({ lock: plan, urls, processes, tasks }: Room): Promise<Turn[]> {
  const folder = mkdtempSync(join(tmpdir(), "room-"));
  const engines = childEngines();
  const db = connect(urls, { timeout: 60_000 });
  const { lock, close } = await makeLock(plan, db);
  const held = await lock.acquire();
  const started = Array.from({ length: processes }, (_, i) => {
    const { command, args } = engines[i % engines.length]!;
    const job: RoomJob = { process: i, url: urls[i % urls.length]!, lock: plan, tasks, folder };
    return start(command, [...args, WAITER, JSON.stringify(job)]);
  });
  try {
    await Promise.all(started.map(({ waits }) => waits));
    await held.release();
    await Promise.all(started.map(({ ends }) => ends));
    const lines = readFileSync(join(folder, "turns"), "utf8").trim().split("\n");
    return lines.map((line) => JSON.parse(line) as Turn);
  } finally {
    started.forEach(({ kill }) => kill());
    await Promise.allSettled(started.map(({ ends }) => ends));
    await close();
    await db.close();
    rmSync(folder, { recursive: true });
  }
}

interface Started {
  /** Until all of its tasks wait. */
  readonly waits: Promise<void>;
  readonly ends: Promise<void>;
  readonly kill: () => void;
}

function start(command: string, args: readonly string[]): Started {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  const ends = new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`A process of the room ended with ${code ?? signal}`));
    });
  });
  ends.catch(() => {});
  const said = new Promise<void>((resolve) => child.stdout?.once("data", () => resolve()));
  return { waits: Promise.race([said, ends]), ends, kill: () => child.kill("SIGKILL") };
}

/**
 * Checks what every lock promises: each task had one turn, alone, and those of a process had theirs as they came.
 *
 * @throws {assert.AssertionError} If not.
 */
export function checkTurns(turns: readonly Turn[], { processes, tasks }: Room): void {
  assert.deepEqual(turns.filter(({ alone }) => !alone), []);
  const came = Array.from({ length: tasks }, (_, task) => task);
  const had = Array.from({ length: processes }, (_, i) => {
    return turns.filter(({ process }) => process === i).map(({ task }) => task);
  });
  assert.deepEqual(had, had.map(() => came));
}

/** The longest row of turns that one process had while others waited, too. */
export function longestRow(turns: readonly Turn[]): number {
  const left = new Map<number, number>();
  for (const { process } of turns) left.set(process, (left.get(process) ?? 0) + 1);
  let [longest, row] = [0, 0];
  for (const [i, { process }] of turns.entries()) {
    row = turns[i - 1]?.process === process ? row + 1 : 1;
    left.set(process, left.get(process)! - 1);
    const others = [...left].some(([other, n]) => other !== process && n > 0);
    if (others) longest = Math.max(longest, row);
  }
  return longest;
}
