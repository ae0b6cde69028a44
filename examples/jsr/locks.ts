/**
 * Processes raise a counter under a lock in Redis, by the client of JSR's package `@db/redis`, for Deno.
 *
 *     deno run -A examples/jsr/locks.ts --redis=redis://localhost:6379 --url=http://localhost:4001
 *
 * In a folder of its own, with its own deno.json: the rest of the project needs nothing of JSR.
 */

import { connect as connectRedis, parseURL } from "@db/redis";
import { connect } from "@tangled/rqlite";
import { denoRedis, RedisLock } from "@tangled/rqlite/locks/redis";
import { parseArgs } from "node:util";
import { ARGS, race, work } from "../locks/counter.ts";

const { values } = parseArgs({
  options: { ...ARGS, redis: { type: "string", default: "redis://localhost:6379" } },
});

if (values.worker === undefined) await race(import.meta.url, values.url);
else {
  // Without this, a server that is not there would be waited for.
  const client = await connectRedis({ ...parseURL(values.redis), maxRetryCount: 0 });
  const lock = new RedisLock({ name: "demo_counter", command: denoRedis(client) });
  const db = connect(values.url);
  await work(db, values.worker === "locked" ? lock : undefined);
  await db.close();
  client.close();
}
