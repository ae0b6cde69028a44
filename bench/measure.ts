/** The one way in which anything is measured: cases in turns, round after round. */

import type { Rqlited } from "../tests/support/rqlited.ts";
import { countingPipe, serverCounts } from "./counts.ts";
import { quantile, ratios, spread } from "./ratios.ts";
import type { Comparison, Counts, Goal, Limit, Measured } from "./results.ts";

/** What a case tells about a round of it, where the clock around it does not. */
export interface Round {
  /** Of single operations, where several are under way at once; in milliseconds. */
  readonly latencies?: readonly number[];
  /** Milliseconds of the whole. */
  readonly time?: number;
  /** How many were done, where that is not known before. */
  readonly operations?: number;
}

/** A way to do something. */
export interface Case {
  readonly name: string;
  /** Does all operations of a round. */
  readonly run: () => Promise<Round | void>;
  /** The cases that it is compared with, by name. */
  readonly against?: Readonly<Record<string, Goal>>;
  readonly limit?: Limit;
  readonly close?: () => unknown;
}

/** What is measured together. */
export interface Plan {
  readonly title: string;
  /** Of each case in each round. */
  readonly operations: number;
  readonly rounds: number;
  /** Where requests go, to count them; without one nothing is counted. */
  readonly server?: Rqlited;
  /** @param url Of the server, or of what counts in front of it. */
  readonly cases: (url: string) => readonly Case[];
}

/** Of one case, a figure for each round. */
interface Series {
  /** Milliseconds for one operation. */
  readonly times: number[];
  readonly p99: number[];
}

/** Measures all cases of a plan. */
export async function measure(plan: Plan): Promise<Measured[]> {
  const cases = plan.cases(plan.server?.url ?? "");
  const series = await interleave(cases, plan).finally(() => closeAll(cases));
  const counts = plan.server === undefined ? new Map() : await countAll(plan, plan.server);
  return cases.map((one): Measured => {
    const counted = counts.get(one.name);
    return {
      name: one.name,
      time: spread(series.get(one.name)!.times),
      ...(counted && { counts: counted }),
      limit: one.limit ?? {},
      comparisons: Object.entries(one.against ?? {}).map(([baseline, goal]) =>
        compare(series.get(one.name)!, baseline, series.get(baseline)!, goal)
      ),
    };
  });
}

/** Runs the cases in turns, so that whatever else the machine does meets them alike. */
async function interleave(
  cases: readonly Case[],
  { rounds, operations }: Plan,
): Promise<Map<string, Series>> {
  const series = new Map(cases.map(({ name }) => [name, { times: [], p99: [] } as Series]));
  const warmUp = Math.ceil(rounds / 5);
  for (let round = -warmUp; round < rounds; round++) {
    for (const { name, run } of round % 2 === 0 ? cases : cases.toReversed()) {
      const start = performance.now();
      const ran = await run() ?? {};
      const time = ran.time ?? performance.now() - start;
      if (round < 0) continue;
      const { times, p99 } = series.get(name)!;
      times.push(time / (ran.operations ?? operations));
      if (ran.latencies !== undefined) p99.push(quantile(ran.latencies, 0.99));
    }
  }
  return series;
}

function compare(of: Series, baseline: string, by: Series, goal: Goal): Comparison {
  return {
    baseline,
    speed: ratios(by.times, of.times),
    ...(of.p99.length > 0 && by.p99.length > 0 && { p99: ratios(by.p99, of.p99) }),
    goal,
  };
}

async function closeAll(cases: readonly Case[]): Promise<void> {
  for (const { close } of cases) await close?.();
}

/** Counts what goes over the wire in one round of each case, when all is loaded and known. */
async function countAll(plan: Plan, server: Rqlited): Promise<Map<string, Counts>> {
  const pipe = await countingPipe(server.url);
  const cases = plan.cases(pipe.url);
  const counts = new Map<string, Counts>();
  try {
    for (const { name, run } of cases) {
      await run();
      const [before, sent] = [await serverCounts(server), pipe.sent()];
      const operations = (await run())?.operations ?? plan.operations;
      const after = await serverCounts(server);
      counts.set(name, {
        requests: (after.requests - before.requests) / operations,
        statements: (after.statements - before.statements) / operations,
        bytes: (pipe.sent() - sent) / operations,
        entries: (after.entries - before.entries) / operations,
      });
    }
  } finally {
    await closeAll(cases);
    pipe.close();
  }
  return counts;
}

/**
 * Lets some callers work side by side, each at one call after the other.
 *
 * @param each How many calls each of them makes.
 * @param call Gets a number of its own.
 */
export async function callAll(
  callers: number,
  each: number,
  call: (n: number) => Promise<unknown>,
): Promise<Round> {
  const latencies: number[] = [];
  await Promise.all(Array.from({ length: callers }, async (_, caller) => {
    for (let i = 0; i < each; i++) {
      const start = performance.now();
      await call(i * callers + caller);
      latencies.push(performance.now() - start);
    }
  }));
  return callers === 1 ? {} : { latencies };
}
