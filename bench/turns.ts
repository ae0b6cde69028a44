/**
 * Transactions that read and write a row, by many callers at once on rows of their own or on one: how many a second by
 * drivers whose transactions take turns, against `client.transaction`, which runs again where it collides.
 *
 *     deno run -A bench/turns.ts     also with `bun` and `node`
 */

import process from "node:process";
import { eq } from "drizzle-orm";
import { integer, sqliteTable } from "drizzle-orm/sqlite-core";
import { Hono } from "hono";
import { Kysely } from "kysely";
import { type Client, connect } from "../mod.ts";
import { drizzle } from "../packages/drizzle/mod.ts";
import { rqlite, type RqliteVariables } from "../src/hono/mod.ts";
import { RqliteDialect } from "../packages/kysely/mod.ts";
import { skipWithoutRqlited, startRqlited } from "../tests/support/rqlited.ts";

const CALLERS = [1, 8, 64];
/** Of all callers together, in one round. */
const TRANSACTIONS = 64;
const ROUNDS = 5;

const t = sqliteTable("t", { id: integer().primaryKey(), n: integer().notNull() });
const READ = "SELECT n FROM t WHERE id = ?";
const WRITE = "UPDATE t SET n = ? WHERE id = ?";

type Raise = (id: number) => Promise<unknown>;

function again(client: Client): Raise {
  return (id) =>
    client.transaction(async (tx) => {
      const n = await tx.value<number>(READ, [id]);
      await tx.execute(WRITE, [n! + 1, id]);
    }, { retries: 1_000, timeout: 120_000 });
}

function byDrizzle(client: Client, turns: boolean): Raise {
  const db = drizzle(client);
  return (id) =>
    db.transaction(async (tx) => {
      const [row] = await tx.select().from(t).where(eq(t.id, id));
      await tx.update(t).set({ n: row!.n + 1 }).where(eq(t.id, id));
    }, { turns });
}

function byKysely(client: Client, turns: boolean): Raise {
  const db = new Kysely<{ t: { id: number; n: number } }>({
    dialect: new RqliteDialect({ client, transaction: { turns } }),
  });
  return (id) =>
    db.transaction().execute(async (trx) => {
      const { n } = await trx.selectFrom("t").select("n").where("id", "=", id)
        .executeTakeFirstOrThrow();
      await trx.updateTable("t").set({ n: n + 1 }).where("id", "=", id).execute();
    });
}

function byHono(client: Client): Raise {
  const app = new Hono<{ Variables: RqliteVariables }>();
  app.use(rqlite(client, { transaction: true }));
  app.post("/:id", async (c) => {
    const id = Number(c.req.param("id"));
    const n = await c.var.db.value<number>(READ, [id]);
    await c.var.db.execute(WRITE, [n! + 1, id]);
    return c.text("raised");
  });
  return async (id) => {
    const response = await app.request(`/${id}`, { method: "POST" });
    if (response.status !== 200) throw new Error(`answered ${response.status}`);
  };
}

/** Milliseconds, and how many failed. */
async function round(raise: Raise, callers: number, rowOf: (caller: number) => number) {
  let failed = 0;
  const start = performance.now();
  await Promise.all(Array.from({ length: callers }, async (_, caller) => {
    for (let i = 0; i < TRANSACTIONS / callers; i++) {
      await raise(rowOf(caller)).catch(() => failed++);
    }
  }));
  return { time: performance.now() - start, failed };
}

async function compare(ways: Readonly<Record<string, Raise>>, callers: number, one: boolean) {
  const rowOf = (caller: number): number => one ? 1 : caller + 1;
  const times: Record<string, number[]> = {};
  const failures: Record<string, number> = {};
  for (let i = 0; i < ROUNDS; i++) {
    for (const [name, raise] of Object.entries(ways)) {
      const { time, failed } = await round(raise, callers, rowOf);
      (times[name] ??= []).push(time);
      failures[name] = (failures[name] ?? 0) + failed;
    }
  }
  const median = (name: string): number => times[name]!.sort((a, b) => a - b)[ROUNDS >> 1]!;
  process.stdout.write(`\n${callers} callers, ${one ? "one row" : "a row each"}\n`);
  for (const name of Object.keys(ways)) {
    const rate = (TRANSACTIONS / median(name) * 1000).toFixed(0).padStart(6);
    const ratio = (median("client.transaction") / median(name)).toFixed(2).padStart(6);
    const failed = (failures[name]! / ROUNDS / TRANSACTIONS * 100).toFixed(0).padStart(4);
    process.stdout.write(`  ${name.padEnd(24)}${rate} /s ${ratio} × ${failed} % conflicts\n`);
  }
}

const absent = skipWithoutRqlited();
if (absent) process.stdout.write(`rqlited is left out: ${absent}\n`);
else {
  const server = await startRqlited();
  const client = connect(server.url);
  try {
    await client.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, n INTEGER NOT NULL)");
    await client.batch(Array.from({ length: 64 }, (_, i) => ["INSERT INTO t VALUES(?, 0)", i + 1]));
    const ways = {
      "client.transaction": again(client),
      "Drizzle": byDrizzle(client, true),
      "Drizzle, turns: false": byDrizzle(client, false),
      "Kysely": byKysely(client, true),
      "Kysely, turns: false": byKysely(client, false),
      "Hono": byHono(client),
    };
    for (const one of [false, true]) {
      for (const callers of CALLERS) await compare(ways, callers, one);
    }
  } finally {
    await client.close();
    await server.stop();
  }
}
