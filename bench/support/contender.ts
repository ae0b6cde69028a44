/** One of several processes that want a lock in Redis; prints its waits in milliseconds as JSON. */

import process from "node:process";
import { Redis } from "ioredis";
import { ioRedis, RedisLock } from "../../src/locks/redis.ts";

const [port = 0, think = 0, begin = 0, seconds = 0] = process.argv.slice(2).map(Number);
const client = new Redis({ port });
await client.ping();
const lock = new RedisLock({ name: "bench", command: ioRedis(client) });
const cell = new Int32Array(new SharedArrayBuffer(4));

/** As exact as Python's, which timers are not. */
function sleep(milliseconds: number): void {
  if (milliseconds > 0) Atomics.wait(cell, 0, 0, milliseconds);
}

const waits: number[] = [];
sleep(begin - Date.now());
const end = begin + seconds * 1000;
while (Date.now() < end) {
  const asked = performance.now();
  const handle = await lock.acquire({ timeout: Infinity });
  waits.push(performance.now() - asked);
  sleep(5);
  await handle.release();
  if (think > 0) await new Promise((done) => setTimeout(done, -Math.log(Math.random()) * think));
}
console.log(JSON.stringify(waits));
client.disconnect();
