/**
 * Locks handed to connect(): transactions queue instead of colliding.
 *
 *     deno run -A examples/dbapi/locks.ts                               on a database in memory
 *     deno run -A examples/dbapi/locks.ts --url http://localhost:4001   on an rqlite server
 *
 * Also with `bun` and `node`.
 */

// In your project these are "@tangled/rqlite", "@tangled/rqlite/dbapi", "@tangled/rqlite/locks" and
// "@tangled/rqlite/locks/rqlite".
import { connect as connectClient } from "../../mod.ts";
import { connect, LockTimeoutError } from "../../src/dbapi/mod.ts";
import { LocalLock, type Lock } from "../../src/locks/mod.ts";
import { RqliteLock } from "../../src/locks/rqlite.ts";
import { done } from "../terminal.ts";
import { target } from "../target.ts";

const TASKS = 4;
const ROUNDS = 5;

const place = target();
const client = connectClient(place);
await client.execute("DROP TABLE IF EXISTS demo_counter");
await client.execute("CREATE TABLE demo_counter(n INTEGER)");

/** Each task reads the number, adds one and writes it. None of them ever mentions the lock. */
async function count(lock: Lock): Promise<number> {
  await client.batch(["DELETE FROM demo_counter", "INSERT INTO demo_counter VALUES(0)"]);
  const task = async (): Promise<void> => {
    const connection = connect(place, { lock });
    const cursor = connection.cursor();
    for (let i = 0; i < ROUNDS; i++) {
      await cursor.execute("SELECT n FROM demo_counter");
      const [n] = (await cursor.fetchOne())!;
      await cursor.execute("UPDATE demo_counter SET n = ?", [Number(n) + 1]);
      await connection.commit();
    }
    await connection.close();
  };
  await Promise.all(Array.from({ length: TASKS }, task));
  const { rows: [row] } = await client.query<{ n: number }>("SELECT n FROM demo_counter");
  return row!.n;
}

done(`LocalLock, for the tasks of one process: ${await count(new LocalLock("counter"))} of 20`);
const shared = new RqliteLock({ name: "counter", client });
done(`RqliteLock, for all clients of the database: ${await count(shared)} of 20`);

const lock = new LocalLock("counter");
const holder = connect(place, { lock });
await holder.execute("SELECT n FROM demo_counter");
const waiting = connect(place, { lock, transaction: { timeout: 500 } });
await waiting.execute("SELECT n FROM demo_counter").catch((error: unknown) => {
  if (!(error instanceof LockTimeoutError)) throw error;
  done(`Whoever waits too long gets a ${error.name}`);
});
await holder.rollback();
const next = connect(place, { lock });
await next.execute("SELECT n FROM demo_counter");
done("rollback() freed it");

await Promise.all([holder.close(), waiting.close(), next.close()]);
await client.execute("DROP TABLE demo_counter");
await client.close();
