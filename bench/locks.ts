/**
 * What locks cost: one taken and freed by itself, then many processes that want the same one, next to redis-py's Lock
 * and redlock in the same run.
 *
 *     deno run -A bench/locks.ts [--seconds=10] [--processes=8]
 *
 * It takes what `deno task test` sets up: redis-server, and Python with redis-py in out/python.
 */

import { Redis } from "ioredis";
import { LocalLock } from "../src/locks/mod.ts";
import { ioRedis, type RedisCommand, RedisLock } from "../src/locks/redis.ts";
import { fromFileUrl, ROOT } from "../tests/runner/paths.ts";
import { skipWithoutPython } from "../tests/support/python.ts";
import { skipWithoutRedis, startRedis } from "../tests/support/redis.ts";
import { interleave } from "./support/interleave.ts";

/** Milliseconds in which the processes start. */
const START = 3_000;

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

function option(name: string, byDefault: number): number {
  const flag = Deno.args.find((arg) => arg.startsWith(`--${name}=`));
  return flag === undefined ? byDefault : Number(flag.slice(name.length + 3));
}

async function measureLocal(): Promise<void> {
  const lock = new LocalLock();
  const times = 10_000;
  const { pair } = await interleave({
    pair: async () => {
      for (let i = 0; i < times; i++) await (await lock.acquire()).release();
    },
  }, 50);
  print(`LocalLock, taken and freed      ${Math.round(pair / times * 1e6)} ns   goal ≤ 1000 ns`);
}

async function measureAlone(port: number): Promise<void> {
  const client = new Redis({ port });
  const command = ioRedis(client);
  const sent: [string, ...string[]][] = [];
  const recording: RedisCommand = (args, key) => {
    sent.push(args);
    return command(args, key);
  };
  await (await new RedisLock({ name: "alone", command: recording }).acquire()).release();
  const lock = new RedisLock({ name: "alone", command });
  const { subject, plain, scripts } = await interleave({
    plain: async () => {
      await client.call("SET", "bare", "value", "NX", "PX", "10000");
      await client.call("DEL", "bare");
    },
    scripts: async () => {
      for (const args of sent) await client.call(...args);
    },
    subject: async () => void await (await lock.acquire()).release(),
  }, 5_000);
  for (const [what, bare] of Object.entries({ "SET and DEL": plain, "its scripts": scripts })) {
    const ratio = `${(subject / bare).toFixed(2)} ×`;
    const figures = `${Math.round(subject * 1000)} µs against ${Math.round(bare * 1000)} µs`;
    print(`RedisLock, against ${what}`.padEnd(32) + `${ratio}   ${figures}   goal ≤ 1.3 ×`);
  }
  client.disconnect();
}

/** What the processes of one kind came to. */
interface Contest {
  /** Locks a second. */
  readonly rate: number;
  /** Milliseconds. */
  readonly wait: number;
  readonly fewest: number;
  readonly most: number;
}

const CONTENDERS = {
  "redis-py": [
    `${ROOT}out/python/bin/python`,
    fromFileUrl("../../bench/support/contender.py"),
  ],
  redlock: [Deno.execPath(), "run", "-A", "--no-check", contender(), "redlock"],
  RedisLock: [Deno.execPath(), "run", "-A", "--no-check", contender(), "RedisLock"],
};

function contender(): string {
  return fromFileUrl("../../bench/support/contender.ts");
}

async function contend(
  kind: keyof typeof CONTENDERS,
  port: number,
  think: number,
): Promise<Contest> {
  const [processes, seconds] = [option("processes", 8), option("seconds", 10)];
  const [program = "", ...args] = CONTENDERS[kind];
  const begin = Date.now() + START;
  args.push(...[port, think, begin, seconds].map(String));
  const one = async (): Promise<number[]> => {
    const { stdout } = await new Deno.Command(program, { args, stderr: "inherit" }).output();
    return JSON.parse(new TextDecoder().decode(stdout));
  };
  const all = await Promise.all(Array.from({ length: processes }, one));
  const waits = all.flat().sort((a, b) => a - b);
  const locks = all.map(({ length }) => length);
  return {
    rate: waits.length / seconds,
    wait: waits[Math.floor(waits.length * 0.99)] ?? NaN,
    fewest: Math.min(...locks),
    most: Math.max(...locks),
  };
}

async function compare(port: number, think: number): Promise<void> {
  print(`\n${option("processes", 8)} processes, held for 5 ms, ${think} ms until the next`);
  let python: Contest | undefined;
  for (const kind of Object.keys(CONTENDERS) as (keyof typeof CONTENDERS)[]) {
    if (kind === "redis-py" && skipWithoutPython()) continue;
    const { rate, wait, fewest, most } = await contend(kind, port, think);
    if (kind === "redis-py") python = { rate, wait, fewest, most };
    const ratio = python === undefined
      ? ""
      : `${(rate / python.rate).toFixed(2)} × the rate, p99 1/${(python.wait / wait).toFixed(1)}`;
    print(
      [
        kind.padEnd(10),
        `${rate.toFixed(1)}/s`.padStart(8),
        `p99 wait ${Math.round(wait)} ms`.padEnd(18),
        `${fewest} to ${most} a process`.padEnd(24),
        ratio,
      ].join("  ").trimEnd(),
    );
  }
}

await measureLocal();
const lacking = skipWithoutRedis("redis");
if (lacking) {
  print(`RedisLock is not measured: it ${lacking}`);
} else {
  const server = await startRedis();
  try {
    await measureAlone(server.port);
    await compare(server.port, 60);
    await compare(server.port, 0);
  } finally {
    await server.stop();
  }
}
