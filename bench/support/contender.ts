/** One of several processes that want a lock in Redis; prints its waits in milliseconds as JSON. */

import process from "node:process";
import { Redis } from "ioredis";
import Redlock from "redlock";
import { ioRedis, RedisLock } from "../../src/locks/redis.ts";

const [kind, ...numbers] = process.argv.slice(2);
const [port = 0, think = 0, begin = 0, seconds = 0] = numbers.map(Number);
const client = new Redis({ port });
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
process.stdout.write(JSON.stringify(waits));
client.disconnect();
