/** Another process: makes calls of every workload until it is told to stop, and prints its history. */

import process from "node:process";
import { sleep } from "../support/http.ts";
import { Random } from "../support/random.ts";
import { clientStore } from "./client_store.ts";
import { openDesk } from "./desk.ts";
import type { Question } from "./judge.ts";
import { naiveStore } from "./naive_store.ts";
import type { StoreKind, StoreOptions } from "./store.ts";
import { type Noted, type ShopCall, type WorkloadName, WORKLOADS } from "./workloads.ts";

/** What the process does. */
export interface WorkerJob extends Pick<StoreOptions, "urls" | "timeout" | "lease"> {
  readonly kind: StoreKind;
  /** Its number, from 0. */
  readonly worker: number;
  readonly seed: number;
  /** When the run began, by the clock that all share. */
  readonly began: number;
  /** How many calls of each workload it makes at a time. */
  readonly tasks: number;
  /** The longest rest between two calls of one workload, in milliseconds. */
  readonly rest: number;
}

/** What it prints. */
export interface WorkerReport {
  readonly history: readonly Noted[];
  readonly questions: readonly Question[];
}

/** Milliseconds of an era. */
const ERA = 3_000;
/** Milliseconds for which a workload may go on behind the others that has not worked so far. */
const LONGER = 15_000;
/** Calls of one process that can have numbers of their own. */
const NUMBERS = 10_000_000;
/** Of the ids of calls that were acknowledged, one in so many is asked for in the end. */
const ASKED = 10;

const job = JSON.parse(process.argv[2]!) as WorkerJob;
const { kind, urls, timeout, lease } = job;
const store = (kind === "ours" ? clientStore : naiveStore)({ urls, timeout, lease });
const history: Noted[] = [];
let numbers = job.worker * NUMBERS;
let over = Infinity;

// Whoever started this is gone, or wants the history.
process.stdin.once("data", () => over = Date.now()).once("end", () => process.exit(1));

/** A machine with more to do than it can lets processes wait; that is not the client's time. */
const TICK = 50;
let stalled = 0;
let ticked = Date.now();
setInterval(() => {
  stalled += Math.max(0, Date.now() - ticked - 2 * TICK);
  ticked = Date.now();
}, TICK).unref();

async function work(name: WorkloadName, index: number): Promise<void> {
  const random = new Random(job.seed + 100 * job.worker + index);
  const desk = openDesk({
    store,
    random,
    timeout,
    stalled: () => stalled,
    caller: `${job.worker}-${index}`,
    number: () => numbers++,
    era: () => Math.floor((Date.now() - job.began) / ERA),
    enter: (noted) => history.push(noted),
  });
  while (Date.now() < over || (Date.now() < over + LONGER && !hasWorked(name))) {
    await WORKLOADS[name](desk);
    await sleep(random.below(job.rest));
  }
}

/** Whether a call of the workload was acknowledged, of the shop one by each way in: without one, a run says nothing of it. */
function hasWorked(name: WorkloadName): boolean {
  const done = history.filter(({ workload, ended }) => workload === name && ended === "done");
  if (name !== "shop") return done.length > 0;
  const ways = new Set(done.map(({ did }) => (did as ShopCall).by));
  return Object.keys(store.shops).every((way) => ways.has(way));
}

/** Whoever was told what became of a call is told the same for ever, or that it is too long ago. */
async function ask(): Promise<Question[]> {
  const own = history.filter(({ ended, did }) => ended === "done" && "own" in did && did.own);
  const known = [
    ...history.flatMap(({ id, outcome }) => id && outcome ? [{ id, expected: outcome }] : []),
    ...own.filter((_, i) => i % ASKED === 0)
      .map(({ did }) => ({ id: `own ${(did as { key: string }).key}`, expected: "committed" })),
  ].filter(({ expected }) => expected !== "unknown");
  const questions: Question[] = [];
  for (const { id, expected } of known) {
    questions.push({ id, expected, told: await store.outcome(id) });
  }
  return questions;
}

const names = Object.keys(WORKLOADS) as WorkloadName[];
const tasks = Array.from({ length: job.tasks }, () => names).flat();
await Promise.all(tasks.map(work));
process.stdout.write("stopped\n");
await new Promise((resolve) => process.stdin.once("data", resolve));
const report: WorkerReport = { history, questions: await ask() };
await store.close();
process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit(0));
