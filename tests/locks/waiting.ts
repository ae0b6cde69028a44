import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { ChildEngine } from "../support/engines.ts";
import type { LockPlan } from "./make_lock.ts";

/** What a process does that waits for the lock. */
export interface WaiterJob {
  readonly url: string;
  readonly lock: LockPlan;
  /** How it takes it. */
  readonly way: typeof WAYS[number];
}

/** The ways to a lock. */
export const WAYS = ["transaction", "withLock", "dbapi"] as const;

const WAITER = fileURLToPath(new URL("./waiter.ts", import.meta.url));

/** Runs a process that waits for the lock and raises the counter; answers "done", or its error. */
export async function runWaiter(engine: ChildEngine, job: WaiterJob): Promise<string> {
  const child = spawn(engine.command, [...engine.args, WAITER, JSON.stringify(job)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  let output = "";
  child.stdout?.on("data", (bytes: Uint8Array) => output += String(bytes));
  await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  return output.trim();
}
