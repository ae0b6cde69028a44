import { spawn } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import { LocalLock } from "../../src/locks/mod.ts";
import { ioRedis, type RedisCommand, RedisLock } from "../../src/locks/redis.ts";
import { OWN_ENGINE } from "../../tests/support/engines.ts";
import { PYTHON, skipWithoutPython } from "../../tests/support/python.ts";
import { skipWithoutRedis, startRedis } from "../../tests/support/redis.ts";
import { callAll, type Case, type Round } from "../measure.ts";
import { REDIS_LOCK, REDIS_PY } from "../names.ts";
import type { Goal } from "../results.ts";
import type { Bench, Scenario } from "../scenario.ts";

/** Milliseconds until the processes have read when they begin. */
const AHEAD = 100;

const file = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url));

const PROGRAMS: Readonly<Record<string, readonly [command: string, ...args: string[]]>> = {
  [REDIS_PY]: [PYTHON, file("contender.py")],
  redlock: [OWN_ENGINE.command, ...OWN_ENGINE.args, file("contender.ts"), "redlock"],
  [REDIS_LOCK]: [OWN_ENGINE.command, ...OWN_ENGINE.args, file("contender.ts"), REDIS_LOCK],
};

/** What is aimed at next to redis-py, by how many milliseconds pass until the next lock. */
const CONTESTS: readonly [think: number, goal: Goal][] = [
  [0, { speed: 1, p99: 8 }],
  [60, { speed: 1.7, p99: 8 }],
];

/** A process that answers a line to each line. */
class Contender {
  readonly #child;
  readonly #lines: AsyncIterator<string>;

  constructor([command, ...args]: readonly [command: string, ...args: string[]], port: number) {
    this.#child = spawn(command, [...args, String(port)], { stdio: ["pipe", "pipe", "inherit"] });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  async line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("A process that wanted a lock has ended");
    return value;
  }

  async contend(think: number, begin: number, seconds: number): Promise<number[]> {
    this.#child.stdin.write(`${think} ${begin} ${seconds}\n`);
    return JSON.parse(await this.line()) as number[];
  }

  end(): void {
    this.#child.stdin.end();
  }
}

async function start(kind: string, count: number, port: number): Promise<Contender[]> {
  const all = Array.from({ length: count }, () => new Contender(PROGRAMS[kind]!, port));
  for (const one of all) await one.line();
  return all;
}

/** One contest of all processes of a kind. */
async function contend(
  contenders: readonly Contender[],
  think: number,
  seconds: number,
): Promise<Round> {
  const begin = Date.now() + AHEAD;
  const waits = await Promise.all(contenders.map((one) => one.contend(think, begin, seconds)));
  const latencies = waits.flat();
  return { latencies, operations: latencies.length, time: seconds * 1000 };
}

/** The processes are started once, and wait while those of another kind have their turn. */
async function contests(bench: Bench, port: number): Promise<void> {
  const lacking = skipWithoutPython();
  if (lacking) process.stderr.write(`redis-py is left out: ${lacking}\n`);
  const kinds = Object.keys(PROGRAMS).filter((kind) => kind !== REDIS_PY || !lacking);
  const count = bench.quick ? 2 : 8;
  const contenders = new Map<string, Contender[]>();
  try {
    for (const kind of kinds) contenders.set(kind, await start(kind, count, port));
    for (const [think, goal] of CONTESTS) {
      await bench.contest({
        title: `${count} processes, held for 5 ms, ${think} ms until the next`,
        operations: 1,
        rounds: bench.quick ? 1 : 5,
        cases: () =>
          kinds.map((kind): Case => ({
            name: kind,
            run: () => contend(contenders.get(kind)!, think, bench.quick ? 0.5 : 3),
            ...(kind !== REDIS_PY && !lacking &&
              { against: { [REDIS_PY]: kind === REDIS_LOCK ? goal : {} } }),
          })),
      });
    }
  } finally {
    for (const one of [...contenders.values()].flat()) one.end();
  }
}

/** A lock that nobody else wants, beside the least that any lock in Redis sends, and beside what this one sends. */
async function alone(bench: Bench, port: number): Promise<void> {
  const redis = new Redis({ port });
  const command = ioRedis(redis);
  const sent: [string, ...string[]][] = [];
  const recording: RedisCommand = (args, key) => {
    sent.push(args);
    return command(args, key);
  };
  await (await new RedisLock({ name: "alone", command: recording }).acquire()).release();
  const lock = new RedisLock({ name: "alone", command });
  const operations = bench.quick ? 50 : 500;
  const times = (call: () => Promise<unknown>) => () => callAll(1, operations, call);
  const [plain, scripts] = ["SET and DEL", "the scripts that it sends"];
  await bench.contest({
    title: "taken and freed, alone",
    operations,
    rounds: bench.quick ? 3 : 21,
    cases: () => [
      {
        name: plain,
        run: times(async () => {
          await redis.call("SET", "bare", "value", "NX", "PX", "10000");
          await redis.call("DEL", "bare");
        }),
      },
      {
        name: scripts,
        run: times(async () => {
          for (const args of sent) await redis.call(...args);
        }),
      },
      {
        name: REDIS_LOCK,
        run: times(async () => await (await lock.acquire()).release()),
        against: { [plain]: { speed: 1 / 1.3 }, [scripts]: { speed: 1 / 1.3 } },
      },
    ],
  });
  redis.disconnect();
}

async function local(bench: Bench): Promise<void> {
  const lock = new LocalLock();
  const operations = bench.quick ? 1_000 : 10_000;
  await bench.contest({
    title: "in the process, taken and freed, alone",
    operations,
    rounds: bench.quick ? 3 : 21,
    cases: () => [{
      name: "LocalLock",
      limit: { time: 0.001 },
      async run() {
        for (let i = 0; i < operations; i++) await (await lock.acquire()).release();
      },
    }],
  });
}

const locks: Scenario = async (bench) => {
  await local(bench);
  const lacking = skipWithoutRedis("redis");
  if (lacking) {
    process.stderr.write(`RedisLock is left out: it ${lacking}\n`);
    return;
  }
  const server = await startRedis();
  try {
    await alone(bench, server.port);
    await contests(bench, server.port);
  } finally {
    await server.stop();
  }
};

export default locks;
