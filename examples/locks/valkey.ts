/**
 * Processes raise a counter under a lock in Valkey.
 *
 *     deno run -A examples/locks/valkey.ts --valkey=redis://localhost:6379 --url=http://localhost:4001
 *
 * Also `bun examples/locks/valkey.ts` and `node examples/locks/valkey.ts`.
 */

import { Redis } from "iovalkey";
import { parseArgs } from "node:util";
// In your project these are "@tangled/rqlite" and "@tangled/rqlite/locks/redis".
import { connect } from "../../mod.ts";
import { ioRedis, ValkeyLock } from "../../src/locks/redis.ts";
import { ARGS, race, work } from "./counter.ts";

const { values } = parseArgs({
  options: { ...ARGS, valkey: { type: "string", default: "redis://localhost:6379" } },
});

if (values.worker === undefined) await race(import.meta.url, values.url);
else {
  // Without this, a server that is not there would be waited for.
  const client = new Redis(values.valkey, { lazyConnect: true, retryStrategy: () => null });
  await client.connect();
  const lock = new ValkeyLock({ name: "demo_counter", command: ioRedis(client) });
  const db = connect(values.url);
  await work(db, values.worker === "locked" ? lock : undefined);
  await db.close();
  client.disconnect();
}
