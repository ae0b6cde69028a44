/**
 * Processes raise a counter under a lock in Redis.
 *
 *     deno run -A examples/locks/redis.ts --redis=redis://localhost:6379 --url=http://localhost:4001
 *
 * Also `bun examples/locks/redis.ts` and `node examples/locks/redis.ts`.
 */

import { createClient } from "redis";
import { parseArgs } from "node:util";
// In your project these are "@tangled/rqlite" and "@tangled/rqlite/locks/redis".
import { connect } from "../../mod.ts";
import { nodeRedis, RedisLock } from "../../src/locks/redis.ts";
import { ARGS, race, work } from "./counter.ts";

const { values } = parseArgs({
  options: { ...ARGS, redis: { type: "string", default: "redis://localhost:6379" } },
});

if (values.worker === undefined) await race(import.meta.url, values.url);
else {
  // Without this, a server that is not there would be waited for.
  const client = createClient({ url: values.redis, socket: { reconnectStrategy: false } });
  await client.connect();
  const lock = new RedisLock({ name: "demo_counter", command: nodeRedis(client) });
  const db = connect(values.url);
  await work(db, values.worker === "locked" ? lock : undefined);
  await db.close();
  client.destroy();
}
