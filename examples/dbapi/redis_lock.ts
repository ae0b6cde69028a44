/**
 * The DB-API with a lock in Redis or Valkey: processes on several machines queue for the same rows.
 *
 *     deno run -A examples/dbapi/redis_lock.ts                                  Redis on localhost:6379
 *     deno run -A examples/dbapi/redis_lock.ts --valkey redis://localhost:6380   a Valkey server
 *
 * `--redis` names another Redis server, `--url` an rqlite server. Also with `bun` and `node`.
 */

import process from "node:process";
import { parseArgs } from "node:util";
import { Redis } from "ioredis";
// In your project these are "@tangled/rqlite/dbapi", "…/embedded" and "…/locks/redis".
import { connect } from "../../src/dbapi/mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { ioRedis, RedisLock, ValkeyLock } from "../../src/locks/redis.ts";
import { done, failed } from "../terminal.ts";

const TASKS = 4;
const ROUNDS = 25;

const { values } = parseArgs({
  options: { url: { type: "string" }, redis: { type: "string" }, valkey: { type: "string" } },
});
const place = values.url ?? { fetch: embedded().fetch };
const address = values.valkey ?? values.redis ?? "redis://localhost:6379";

const redis = new Redis(address, { lazyConnect: true, retryStrategy: () => null });
redis.on("error", () => {});
try {
  await redis.connect();
} catch {
  failed(`Cannot reach ${address}: is the server running there? See --redis and --valkey`);
  process.exit(1);
}

const command = ioRedis(redis);
const lock = values.valkey === undefined
  ? new RedisLock({ name: "demo-stock", command })
  : new ValkeyLock({ name: "demo-stock", command });

const setup = connect(place, { autocommit: true });
await setup.execute("DROP TABLE IF EXISTS demo_stock");
await setup.execute("CREATE TABLE demo_stock(n INTEGER)");
await setup.execute("INSERT INTO demo_stock VALUES(0)");

/** The lock goes to connect(), once; each transaction takes and frees it. */
async function worker(): Promise<void> {
  const connection = connect(place, { lock });
  const cursor = connection.cursor();
  for (let i = 0; i < ROUNDS; i++) {
    await cursor.execute("SELECT n FROM demo_stock");
    const [n] = (await cursor.fetchOne())!;
    await cursor.execute("UPDATE demo_stock SET n = ?", [Number(n) + 1]);
    await connection.commit();
  }
  await connection.close();
}
await Promise.all(Array.from({ length: TASKS }, worker));

const cursor = await setup.execute("SELECT n FROM demo_stock");
const name = values.valkey === undefined ? "RedisLock" : "ValkeyLock";
done(`${name}: ${TASKS} tasks of ${ROUNDS} increments made ${await cursor.fetchOne()}`);

await setup.execute("DROP TABLE demo_stock");
await setup.close();
redis.disconnect();
