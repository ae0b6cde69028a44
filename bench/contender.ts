/**
 * One of several processes that want a lock in Redis. A line `think begin seconds` is answered by its waits in milliseconds,
 * as JSON.
 */

import process from "node:process";
import { createInterface } from "node:readline";
import { Redis } from "ioredis";
import Redlock from "redlock";
import { ioRedis, RedisLock } from "../src/locks/redis.ts";

const [kind, port] = process.argv.slice(2);
const client = new Redis({ port: Number(port) });
await client.ping();

interface Held {
  release(): Promise<unknown>;
}

function contender(): () => Promise<Held> {
  if (kind === "redlock") {
    const redlock = new Redlock([client], { retryCount: -1 });
    return async () => {
      const lock = await redlock.lock("bench:redlock", 10_000);
      return { release: () => lock.unlock() };
    };
  }
  const lock = new RedisLock({ name: "bench", command: ioRedis(client) });
  return () => lock.acquire({ timeout: Infinity });
}

const cell = new Int32Array(new SharedArrayBuffer(4));

/** As exact as Python's, which timers are not. */
function sleep(milliseconds: number): void {
  if (milliseconds > 0) Atomics.wait(cell, 0, 0, milliseconds);
}

const acquire = contender();

async function contend(think: number, begin: number, seconds: number): Promise<number[]> {
  const waits: number[] = [];
  sleep(begin - Date.now());
  const end = begin + seconds * 1000;
  while (Date.now() < end) {
    const asked = performance.now();
    const held = await acquire();
    waits.push(performance.now() - asked);
    sleep(5);
    await held.release();
    if (think > 0) await new Promise((done) => setTimeout(done, -Math.log(Math.random()) * think));
  }
  return waits;
}

process.stdout.write("ready\n");
for await (const line of createInterface({ input: process.stdin })) {
  const [think, begin, seconds] = line.split(" ").map(Number);
  process.stdout.write(`${JSON.stringify(await contend(think!, begin!, seconds!))}\n`);
}
client.disconnect();
