/** How many callers work at once, for reads and writes of single rows. */

import { callAll, type Case, type Plan } from "./measure.ts";
import { BY_HAND, FETCH } from "./names.ts";
import type { Goal, Limit } from "./results.ts";
import type { Bench } from "./scenario.ts";
import type { Listed, Way } from "./ways.ts";

/** As many rows as callers, so that each has its own. */
export const ROWS = 512;

/** A number of callers. */
interface Load {
  readonly callers: number;
  /** Calls of each caller in a round. */
  readonly each: number;
  readonly rounds: number;
}

/** A call of all ways. */
export interface Calls {
  readonly ways: (url: string, callers: number) => readonly Way[];
  /** @param n From 0; the row is another one for each caller. */
  readonly call: (way: Way, n: number) => Promise<unknown>;
  readonly together: (url: string, statements: readonly Listed[]) => Promise<unknown>;
  readonly statement: (n: number) => Listed;
  readonly goals: (callers: number, way: string) => Readonly<Record<string, Goal>>;
  readonly limit: (callers: number, way: string) => Limit;
}

function loads(quick: boolean): Load[] {
  return quick ? [{ callers: 1, each: 40, rounds: 3 }, { callers: 64, each: 2, rounds: 3 }] : [
    { callers: 1, each: 100, rounds: 11 },
    { callers: 64, each: 4, rounds: 11 },
    { callers: 512, each: 2, rounds: 5 },
  ];
}

/** One request after the other, each with a statement of every caller. */
function byHand(calls: Calls, url: string, { callers, each }: Load): Case {
  return {
    name: BY_HAND,
    async run() {
      for (let i = 0; i < each; i++) {
        const statements = Array.from(
          { length: callers },
          (_, caller) => calls.statement(i * callers + caller),
        );
        await calls.together(url, statements);
      }
    },
    against: { [FETCH]: {} },
  };
}

function casesOf(calls: Calls, load: Load, url: string): Case[] {
  const { callers, each } = load;
  const cases = calls.ways(url, callers).map((way): Case => ({
    name: way.name,
    run: () => callAll(callers, each, (n) => calls.call(way, n)),
    ...(way.name !== FETCH && { against: calls.goals(callers, way.name) }),
    limit: calls.limit(callers, way.name),
    ...(way.close && { close: () => way.close!() }),
  }));
  return callers === 1 ? cases : [cases[0]!, byHand(calls, url, load), ...cases.slice(1)];
}

/** One contest for each number of callers. */
export async function contestOfLoads(
  bench: Bench,
  calls: Calls,
  server: NonNullable<Plan["server"]>,
): Promise<void> {
  for (const load of loads(bench.quick)) {
    const { callers, each, rounds } = load;
    await bench.contest({
      title: callers === 1 ? "1 caller" : `${callers} callers`,
      operations: callers * each,
      rounds,
      server,
      cases: (url) => casesOf(calls, load, url),
    });
  }
}

/** The table that they read and write. */
export const TABLE: readonly string[] = [
  "CREATE TABLE bench(id INTEGER PRIMARY KEY, name TEXT NOT NULL, price REAL NOT NULL)",
  `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS}) ` +
  "INSERT INTO bench SELECT i, 'Widget ' || i, i + 0.99 FROM n",
];

/** What is aimed at where callers share requests: nearly the speed of one request, and nobody waits longer than alone. */
export const SHARED: Readonly<Record<string, Goal>> = {
  [FETCH]: { p99: 1 },
  [BY_HAND]: { speed: 0.8 },
};

/** At most 40 requests for 512 calls. */
export function fewRequests(callers: number, way: string, client: string): Limit {
  return callers === 512 && way === client ? { requests: 40 / 512 } : {};
}
