import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { ChildEngine } from "../support/engines.ts";
import type { LockPlan } from "./make_lock.ts";

/** What a process that holds the lock does. */
export interface HolderJob {
  readonly url: string;
  readonly lock: LockPlan;
  /** Milliseconds for which it blocks itself; with 0 it waits to be stopped from outside. */
  readonly blocks: number;
  /** How long it must have been stopped at least. */
  readonly longer: number;
}

/** What it finds when it goes on. */
export interface Found {
  /** `handle.held`, on the first look. */
  readonly held: boolean;
  /** `tx.signal.aborted`, a moment later. */
  readonly aborted: boolean;
  /** The name of what `commit()` throws. */
  readonly refused: string;
  readonly state: string;
}

type Signal = "SIGSTOP" | "SIGCONT" | "SIGKILL";

/** A process that holds the lock. */
export interface Holder {
  readonly kill: (signal: Signal) => void;
  /** What it found, once it has ended; nothing if it was killed. */
  readonly found: Promise<Found | undefined>;
}

const HOLDER = fileURLToPath(new URL("./holder.ts", import.meta.url));

/** Starts a process and waits until it holds the lock. */
export async function startHolder(engine: ChildEngine, job: HolderJob): Promise<Holder> {
  const child = spawn(engine.command, [...engine.args, HOLDER, JSON.stringify(job)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  let output = "";
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  let over = false;
  void ended.then(() => over = true);
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on("data", (bytes: Uint8Array) => {
      output += String(bytes);
      if (output.startsWith("holding\n")) resolve();
    });
    child.once("error", reject);
    void ended.then(() => reject(new Error("The holder ended before it held the lock")));
  });
  const kill = (signal: Signal): void => {
    // Deno's `child.kill()` works once only.
    if (!over) process.kill(child.pid!, signal);
  };
  return { kill, found: result(ended, () => output) };
}

async function result(ended: Promise<void>, output: () => string): Promise<Found | undefined> {
  await ended;
  const line = output().split("\n")[1] ?? "";
  return line === "" ? undefined : JSON.parse(line) as Found;
}
