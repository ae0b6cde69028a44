import assert from "node:assert/strict";
import { it } from "node:test";
import { type Connection, run } from "../../src/dbapi/mod.ts";
import { LocalLock } from "../../src/locks/local.ts";
import type { Lock } from "../../src/locks/lock.ts";
import { denoRedis, RedisLock, ValkeyLock } from "../../src/locks/redis.ts";
import { RqliteLock } from "../../src/locks/rqlite.ts";
import { REDIS_KINDS, skipWithoutRedis, startRedis } from "../support/redis.ts";
import { RespClient } from "../support/resp.ts";
import { everywhere, type Place } from "./place.ts";

const TASKS = 4;
const ROUNDS = 25;

/** One step that reads, decides and writes; not atomic by itself. */
async function increment(connection: Connection, table: string): Promise<void> {
  const cursor = await connection.execute(`SELECT n FROM ${table}`);
  const [n] = (await cursor.fetchOne())!;
  await cursor.execute(`UPDATE ${table} SET n = ?`, [Number(n) + 1]);
}

everywhere("4 tasks of 25 increments", (place) => {
  /** Each task has a connection of its own. */
  const count = async (
    lock: Lock | undefined,
    step: (connection: Connection, table: string) => Promise<void>,
  ): Promise<unknown> => {
    const table = await place().table("n INTEGER");
    await place().client.execute(`INSERT INTO ${table} VALUES(0)`);
    const task = async (): Promise<void> => {
      const connection = place().connect(lock === undefined ? {} : { lock });
      try {
        for (let i = 0; i < ROUNDS; i++) await step(connection, table);
      } finally {
        await connection.close();
      }
    };
    await Promise.all(Array.from({ length: TASKS }, task));
    return (await place().rows(`SELECT n FROM ${table}`))[0]![0];
  };
  /** With a lock no round ever conflicts, so nothing is repeated. */
  const locked = (lock: Lock): Promise<unknown> =>
    count(lock, async (connection, table) => {
      await increment(connection, table);
      await connection.commit();
    });

  it("run() without a lock ends at 100, through retries", async () => {
    const retries = 1000;
    const found = await count(
      undefined,
      (connection, table) => run(connection, () => increment(connection, table), { retries }),
    );
    assert.equal(found, TASKS * ROUNDS);
  });

  it("LocalLock lets commit() end at 100 without a conflict", async () => {
    assert.equal(await locked(new LocalLock("counter")), TASKS * ROUNDS);
  });

  it("RqliteLock lets commit() end at 100 without a conflict", async () => {
    const client: Place["client"] = place().client;
    assert.equal(await locked(new RqliteLock({ name: "counter", client })), TASKS * ROUNDS);
  });

  for (const kind of REDIS_KINDS) {
    const Kind = kind === "redis" ? RedisLock : ValkeyLock;
    it(
      `${Kind.name} lets commit() end at 100 without a conflict`,
      { skip: skipWithoutRedis(kind) },
      async () => {
        const server = await startRedis(kind);
        try {
          const client = await RespClient.connect(server.port);
          const lock = new Kind({ name: "counter", command: denoRedis(client) });
          assert.equal(await locked(lock), TASKS * ROUNDS);
          await client.close();
        } finally {
          await server.stop();
        }
      },
    );
  }
});
