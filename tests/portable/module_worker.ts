/** A Worker that makes everything at module scope, where older engines refuse signals, timers and random values. */

import { sql as drizzleSql } from "drizzle-orm";
import { Hono } from "hono";
import { stream } from "hono/streaming";
import { Kysely, sql } from "kysely";
import { type Client, connect } from "../../mod.ts";
import { drizzle } from "../../packages/drizzle/mod.ts";
import { rqlite, type RqliteVariables } from "../../src/hono/mod.ts";
import { RqliteDialect } from "../../packages/kysely/mod.ts";
import { LocalLock } from "../../src/locks/mod.ts";
import { RqliteLock } from "../../src/locks/rqlite.ts";

/** A variable of the runtime, and what the middleware adds. */
type Env = { Variables: RqliteVariables; Bindings: { RQLITE_URL: string } };

/** Known with the first request only. */
let server = "";

const db = connect("http://somewhere", {
  fetch: (input, init) => fetch(String(input).replace("http://somewhere", server), init),
});
const kysely = new Kysely<unknown>({ dialect: new RqliteDialect({ client: db }) });
const orm = drizzle(db);
const locks = [new LocalLock("module"), new RqliteLock({ name: "module", client: db })];

/** A client of a server that never answers, while a request waits for it. */
let waiting: Client | undefined;

/** What became of work behind an answer. */
let refused = "";

const app = new Hono<Env>();
app.use((c, next) => {
  server = c.env.RQLITE_URL;
  return next();
});
app.use(rqlite(db, { timeout: 10_000, transaction: (c) => c.req.path !== "/locks" }));

app.get("/hono", async (c) => {
  await c.var.db.execute("UPDATE counter SET n = 1");
  const { rows } = await c.var.db.query<{ n: number }>("SELECT n FROM counter");
  return c.json(rows[0]!.n);
});

app.get("/stream", async (c) => {
  await c.var.db.execute("UPDATE counter SET n = 1");
  return stream(c, async (body) => {
    const late = c.var.db.execute("UPDATE counter SET n = 50");
    await body.write(JSON.stringify(await late.catch((error: Error) => error.name)));
  });
});

app.get("/background", async (c) => {
  await c.var.db.execute("UPDATE counter SET n = 1");
  const late = async () => {
    await c.var.db.execute("UPDATE counter SET n = 50");
  };
  c.executionCtx.waitUntil(late().catch((error: Error) => refused = error.name));
  return c.json(refused);
});

app.get("/orms", async (c) => {
  const { rows: [first] } = await sql<{ n: number }>`SELECT 1 AS n`.execute(kysely);
  const second = await orm.get<{ n: number }>(drizzleSql`SELECT 1 AS n`);
  return c.json(first!.n + second.n);
});

app.get("/locks", async (c) => {
  let held = 0;
  for (const lock of locks) {
    await db.transaction(async (tx) => {
      await tx.execute("UPDATE counter SET n = n");
      held++;
    }, { lock });
  }
  return c.json(held);
});

app.get("/wait", async (c) => {
  const client = waiting = connect("http://nowhere", { fetch: () => new Promise(() => {}) });
  return c.json(await client.query("SELECT 1").then(() => "", (error: Error) => error.name));
});

app.get("/close", async (c) => {
  await waiting?.close();
  return c.json(waiting !== undefined);
});

export default app;
