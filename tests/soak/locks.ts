/**
 * The long form of tests/locks/faults_test.ts: 16 processes of all engines count to 400 under each kind of lock and in
 * each of its faults. Prints what they met; ends with code 1 where a number is wrong.
 *
 *     deno task soak [PART OF A NAME …]
 */

import process from "node:process";
import {
  type Counted,
  countInPeace,
  countUnguarded,
  countWithDeadLeaders,
  countWithFailover,
  countWithLostAnswers,
  countWithPauses,
  countWithRestarts,
  countWithWipes,
} from "../locks/faults.ts";
import { LOCK_WORLDS, type LockWorld, REDIS_WORLDS } from "../locks/lock_worlds.ts";
import { checkTurns, longestRow, runRoom } from "../locks/room.ts";
import { startCluster } from "../support/cluster.ts";
import { REDIS_KINDS } from "../support/redis.ts";

const SIZE = { processes: 16, rounds: 25, pauses: 0.1, blow: 1_000 };
const TOTAL = SIZE.processes * SIZE.rounds;

/** As many tasks wait for one lock at the same time; the database has so many nodes. */
async function countTurns({ start }: LockWorld, nodes: number): Promise<Counted> {
  const cluster = await startCluster(nodes);
  const { plan: lock, stop } = await start(30_000);
  try {
    const room = { lock, urls: cluster.urls, processes: SIZE.processes, tasks: SIZE.rounds };
    const turns = await runRoom(room);
    checkTurns(turns, room);
    const told = { runs: 0, conflicts: 0, lost: 0, timeouts: 0, unknown: 0, failures: 0 };
    return { ...told, n: turns.length, ...{ "turns in a row": longestRow(turns) } };
  } finally {
    await stop();
    await cluster.stop();
  }
}

interface Run {
  readonly name: string;
  readonly count: () => Promise<Counted>;
  /** Must miss the number, to show that the others mean something. */
  readonly loses?: boolean;
}

const runs: Run[] = [
  ...LOCK_WORLDS.flatMap((world): Run[] => [
    { name: `${world.name}, all wait at once`, count: () => countTurns(world, 1) },
    { name: `${world.name}, no faults`, count: () => countInPeace(world, SIZE) },
    {
      name: `${world.name} without transactions, 10 % pauses`,
      count: () => countUnguarded(world, SIZE),
      loses: true,
    },
    { name: `${world.name}, 10 % pauses`, count: () => countWithPauses(world, SIZE) },
    {
      name: `${world.name}, 10 % pauses, 10 % lost answers`,
      count: () => countWithLostAnswers(world, SIZE),
    },
    {
      name: `${world.name}, rqlite's leader dies twice`,
      count: () => countWithDeadLeaders(world, SIZE, 2),
    },
  ]),
  {
    name: "RqliteLock, all wait at once, on three nodes",
    count: () => countTurns(LOCK_WORLDS[0]!, 3),
  },
  ...REDIS_WORLDS.flatMap((world): Run[] => [
    { name: `${world.name}, wiped every 300 ms`, count: () => countWithWipes(world, SIZE) },
    { name: `${world.name}, restarted every 1 s`, count: () => countWithRestarts(world, SIZE) },
  ]),
  ...REDIS_KINDS.map((kind): Run => ({
    name: `RedisLock on a ${kind} cluster that fails over`,
    count: () => countWithFailover(kind, SIZE),
  })),
];

const parts = process.argv.slice(2);
let wrong = 0;
for (const { name, count, loses = false } of runs) {
  if (parts.length > 0 && !parts.some((part) => name.includes(part))) continue;
  const start = performance.now();
  const met = await count();
  const seconds = (performance.now() - start) / 1000;
  const right = (met.n === TOTAL) !== loses;
  if (!right) wrong++;
  const told = Object.entries(met).filter(([what, times]) => what !== "n" && times > 0)
    .map(([what, times]) => `${what} ${times}`).join(", ");
  process.stdout.write(
    `${right ? "✓" : "✗"} ${name}: ${met.n} of ${TOTAL} (${told}; ${seconds.toFixed(1)} s)\n`,
  );
}
process.exit(wrong === 0 ? 0 : 1);
