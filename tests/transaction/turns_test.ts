// Transactions of one client that take turns: whoever begins them, and however they end.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { eq } from "drizzle-orm";
import { integer, sqliteTable } from "drizzle-orm/sqlite-core";
import { Hono } from "hono";
import { Kysely } from "kysely";
import { type Client, connect, TimeoutError, type TransactionOptions } from "../../mod.ts";
import { connect as connectDbapi } from "../../src/dbapi/mod.ts";
import { drizzle } from "../../packages/drizzle/mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { rqlite, type RqliteVariables } from "../../src/hono/mod.ts";
import { RqliteDialect } from "../../packages/kysely/mod.ts";
import { sleep } from "../support/http.ts";
import { Random } from "../support/random.ts";
import { ToldLock } from "./told_lock.ts";
import { PLACES, type World } from "./world.ts";

/** Raises the number of a row by one, between a read and a write. */
type Raise = (client: Client, id: number) => Promise<unknown>;

const t = sqliteTable("t", { id: integer().primaryKey(), n: integer().notNull() });

const READ = "SELECT n FROM t WHERE id = ?";
const WRITE = "UPDATE t SET n = ? WHERE id = ?";

const app = (client: Client): Hono<{ Variables: RqliteVariables }> => {
  const app = new Hono<{ Variables: RqliteVariables }>();
  app.onError((error, c) => c.text(String(error), 500));
  app.use(rqlite(client, { transaction: true }));
  app.all("/:id", async (c) => {
    const id = Number(c.req.param("id"));
    const n = await c.var.db.value<number>(READ, [id]);
    await c.var.db.execute(WRITE, [n! + 1, id]);
    return c.text("raised");
  });
  return app;
};

const DRIVERS: Readonly<Record<string, Raise>> = {
  Drizzle: (client, id) =>
    drizzle(client).transaction(async (tx) => {
      const [row] = await tx.select().from(t).where(eq(t.id, id));
      await tx.update(t).set({ n: row!.n + 1 }).where(eq(t.id, id));
    }),
  Kysely: (client, id) => {
    const db = new Kysely<{ t: { id: number; n: number } }>({
      dialect: new RqliteDialect({ client }),
    });
    return db.transaction().execute(async (trx) => {
      const { n } = await trx.selectFrom("t").select("n").where("id", "=", id)
        .executeTakeFirstOrThrow();
      await trx.updateTable("t").set({ n: n + 1 }).where("id", "=", id).execute();
    });
  },
  Hono: async (client, id) => {
    const response = await app(client).request(`/${id}`, { method: "POST" });
    assert.equal(response.status, 200, await response.text());
  },
  "begin({ turns: true })": async (client, id) => {
    await using tx = await client.begin({ turns: true });
    const n = await tx.value<number>(READ, [id]);
    await tx.execute(WRITE, [n! + 1, id]);
    await tx.commit();
  },
};

const TABLE = "CREATE TABLE t(id INTEGER PRIMARY KEY, n INTEGER NOT NULL)";

async function fill(world: World): Promise<void> {
  await world.sql(TABLE);
  const rows = Array.from({ length: 10 }, (_, i) => `(${i + 1}, 0)`);
  await world.sql(`INSERT INTO t VALUES ${rows}`);
}

/** Milliseconds that whoever waits for a turn that nobody gives back is not through with. */
const UNTIL_PASSED_OVER = 4_000;

/** Nobody has the turn. */
async function assertFree(client: Client): Promise<void> {
  const tx = await client.begin({ turns: true, timeout: UNTIL_PASSED_OVER });
  await tx.rollback();
}

/** Ends the process' patience with the turn of somebody who says nothing; begun early, as that takes a while. */
const passedOver = (async () => {
  const engine = embedded();
  const client = connect(engine);
  await client.execute(TABLE);
  await client.execute("INSERT INTO t VALUES(1, 0), (2, 0)");
  const silent = await client.begin({ turns: true });
  await silent.execute(WRITE, [7, 2]);
  const others = await Promise.all([1, 1, 1].map((id) => DRIVERS["Drizzle"]!(client, id)));
  await silent.commit();
  const { rows } = await client.query("SELECT n FROM t ORDER BY id", [], { rows: "array" });
  await client.close();
  engine.close();
  return { others, rows };
})();

for (const place of PLACES) {
  const test = (name: string, body: (world: World) => Promise<void>) =>
    it(name, () => place.run(body));

  describe(`transactions that take turns on ${place.name}`, { skip: place.skip }, () => {
    for (const [name, raise] of Object.entries(DRIVERS)) {
      test(`ten at once by ${name} all commit, on one row and on ten`, async (world) => {
        await fill(world);
        await Promise.all(Array.from({ length: 10 }, () => raise(world.db, 1)));
        await Promise.all(Array.from({ length: 10 }, (_, i) => raise(world.db, i + 1)));
        assert.equal(await world.value("SELECT n FROM t WHERE id = 1"), 11);
        assert.equal(await world.value("SELECT sum(n) FROM t"), 20);
      });
    }

    test("all drivers of one client share its turns", async (world) => {
      await fill(world);
      const raises = Object.values(DRIVERS);
      await Promise.all(Array.from({ length: 12 }, (_, i) => raises[i % 4]!(world.db, 1)));
      assert.equal(await world.value("SELECT n FROM t WHERE id = 1"), 12);
    });
  });
}

const [inProcess] = PLACES;
const test = (name: string, body: (world: World) => Promise<void>) =>
  it(name, () => inProcess!.run(body));

describe("the turn of a transaction", () => {
  test("is waited for until `timeout`, and the error says so; nothing was sent", async ({ db, network }) => {
    const first = await db.begin({ turns: true });
    const sent = network.requests.length;
    const late = db.transaction(() => assert.fail(), { turns: true, timeout: 1_000 });
    await assert.rejects(late, (error: Error) => {
      assert.ok(error instanceof TimeoutError);
      assert.match(error.message, /turn .*1 of this client.*`turns: false`/);
      return true;
    });
    assert.equal(network.requests.length, sent);
    await first.rollback();
    await assertFree(db);
  });

  test("is nobody's where `turns: false` is said, of the call or of the client", async (world) => {
    await fill(world);
    const client = world.connect({ transaction: { turns: false, timeout: UNTIL_PASSED_OVER } });
    const first = await client.begin({ turns: true });
    for (const name of ["Drizzle", "Kysely", "Hono"]) await DRIVERS[name]!(client, 1);
    await first.rollback();
    const { db } = world;
    const again = await db.begin({ turns: true });
    await drizzle(db).transaction(async (tx) => {
      await tx.update(t).set({ n: 1 });
    }, { turns: false, timeout: UNTIL_PASSED_OVER });
    await again.rollback();
  });

  test("is not taken by what only reads, nor by GET of Hono and transaction(fn)", async (world) => {
    await fill(world);
    const db = world.connect({ transaction: { timeout: UNTIL_PASSED_OVER } });
    const first = await db.begin({ turns: true });
    await drizzle(db).transaction((tx) => tx.select().from(t), { readOnly: true });
    const kysely = new Kysely({ dialect: new RqliteDialect({ client: db }) });
    await kysely.transaction().setAccessMode("read only").execute(() => Promise.resolve());
    assert.equal((await app(db).request("/1")).status, 200);
    await db.transaction((tx) => tx.execute(WRITE, [5, 1]));
    await (await db.begin()).rollback();
    await first.rollback();
  });

  test("is given in the order of asking, and those who gave up are left out", async ({ db }) => {
    const order: number[] = [];
    const first = await db.begin({ turns: true });
    const controller = new AbortController();
    const { signal } = controller;
    const waiting = [0, 1, 2, 3, 4].map((i) =>
      db.transaction(() => Promise.resolve(order.push(i)), {
        turns: true,
        ...(i % 2 === 1 && { signal }),
      })
    );
    controller.abort(new Error("enough"));
    const settled = Promise.allSettled(waiting);
    await first.rollback();
    const reasons = (await settled).map((one) => one.status === "rejected" && one.reason.message);
    assert.deepEqual(reasons, [false, "enough", false, "enough", false]);
    assert.deepEqual(order, [0, 2, 4]);
  });

  test("is given back by 1,000 that end in any way", async (world) => {
    await fill(world);
    const random = new Random(1);
    const { db } = world;
    await Promise.allSettled(Array.from({ length: 1_000 }, async () => {
      const controller = new AbortController();
      const { signal } = controller;
      const end = random.below(7);
      const timeout = end === 5 ? 1 + random.below(300) : 60_000;
      const options: TransactionOptions = { turns: true, signal, timeout };
      const lock = new ToldLock();
      if (end === 0) setTimeout(() => controller.abort(), random.below(300));
      if (end === 1) return await db.transaction(() => Promise.reject(new Error("no")), options);
      const tx = await db.begin(end === 2 ? { ...options, lock } : options);
      if (end === 2) lock.lose();
      else if (end === 3) controller.abort();
      else if (random.below(10) === 0) await tx.execute("UPDATE t SET n = n + 1");
      if (end === 4) await tx.rollback();
      else await tx.commit();
    }));
    await assertFree(db);
  });

  test("is given back by requests that are aborted, fail or are refused", async (world) => {
    await fill(world);
    const { db } = world;
    const controller = new AbortController();
    const made = new Hono<{ Variables: RqliteVariables }>();
    made.onError((_, c) => c.text("", 500));
    made.use(rqlite(db, { transaction: true }));
    made.post("/:how", async (c) => {
      await c.var.db.execute("UPDATE t SET n = n + 1");
      const how = c.req.param("how");
      if (how === "abort") controller.abort();
      if (how === "throw") throw new Error("no");
      return c.text("", how === "refuse" ? 400 : 200);
    });
    const request = async (how: string, init: RequestInit = {}): Promise<number> =>
      (await made.request(`/${how}`, { method: "POST", ...init })).status;
    const { signal } = controller;
    const statuses = await Promise.all([
      request("throw"),
      request("refuse"),
      request("abort", { signal }),
      request("waits", { signal }),
      request("commits"),
    ]);
    assert.deepEqual(statuses, [500, 400, 500, 500, 200]);
    await assertFree(db);
  });

  test("is waited for by nobody once the client is closed", async ({ connect }) => {
    const db = connect({});
    await db.begin({ turns: true });
    const options = { turns: true, timeout: UNTIL_PASSED_OVER };
    const waiting = db.transaction((tx) => tx.query("SELECT 1"), options);
    await db.close();
    await assert.rejects(waiting, { name: "InterfaceError" });
  });

  test("is kept by who is at work, however long others have waited", async ({ db }) => {
    const { now } = performance;
    let clock = now.call(performance);
    let [inside, most] = [1, 1];
    const come = () =>
      db.transaction(async () => {
        most = Math.max(most, ++inside);
        await sleep(20);
        inside--;
      }, { turns: true });
    performance.now = () => clock;
    try {
      const first = await db.begin({ turns: true });
      const second = come();
      clock += 4_000;
      await first.query("SELECT 1");
      clock += 4_000;
      const third = come(); // who comes looks whether somebody is silent
      await sleep(20);
      inside--;
      await first.rollback();
      await Promise.all([second, third, come()]);
    } finally {
      performance.now = now;
    }
    assert.equal(most, 1);
  });

  it("passes to the next when nothing is heard of whoever has it, and he goes on", async () => {
    const { others, rows } = await passedOver;
    assert.equal(others.length, 3);
    assert.deepEqual(rows, [[3], [7]]);
  });
});

describe("the defaults of connect({ transaction })", () => {
  for (const name of ["Drizzle", "Kysely", "Hono", "dbapi"]) {
    test(`reach ${name}`, async (world) => {
      await fill(world);
      const raise = async (transaction: TransactionOptions): Promise<unknown> => {
        const options = { fetch: world.node, transaction };
        if (name !== "dbapi") return await DRIVERS[name]!(world.connect(options), 1);
        const connection = connectDbapi("http://embedded:4001", options);
        try {
          await connection.execute(WRITE, [1, 1]);
          await connection.commit();
        } finally {
          await connection.close();
        }
      };
      const lock = new ToldLock();
      await raise({ lock });
      assert.deepEqual(lock.told, ["acquire", "release"]);
      await raise({ scope: "stock" });
      assert.equal(
        await world.value("SELECT version FROM _rqlite_version WHERE name = 'stock'"),
        1,
      );
      await assert.rejects(raise({ readOnly: true }));
      assert.equal(await world.value("SELECT n FROM t WHERE id = 1"), name === "dbapi" ? 1 : 2);
    });
  }

  test("reach Drizzle with `retries`, too", async (world) => {
    await fill(world);
    const db = drizzle(world.connect({ transaction: { retries: 1 } }));
    let runs = 0;
    await db.transaction(async (tx) => {
      const [row] = await tx.select().from(t).where(eq(t.id, 1));
      if (runs++ === 0) await world.sql("UPDATE t SET n = 5 WHERE id = 1");
      await tx.update(t).set({ n: row!.n + 1 }).where(eq(t.id, 1));
    });
    assert.equal(runs, 2);
    assert.equal(await world.value("SELECT n FROM t WHERE id = 1"), 6);
  });
});

describe("transactions that collided", () => {
  const raise = (db: Client, id: number, count: () => void) => async () => {
    for (let i = 0; i < 5; i++) {
      await db.transaction(async (tx) => {
        count();
        const n = await tx.value<number>(READ, [id]);
        await tx.execute(WRITE, [n! + 1, id]);
      }, { mode: "lazy" });
    }
  };

  test("run again behind each other, and those that begin alike come behind them", async (world) => {
    await fill(world);
    let runs = 0;
    const eight = Array.from({ length: 8 }, raise(world.db, 1, () => runs++));
    await Promise.all(eight);
    assert.equal(await world.value("SELECT n FROM t WHERE id = 1"), 40);
    // All meet at first; then whoever has just got through may meet the first of those who queue.
    assert.ok(runs <= 40 + 7 + 8, `${runs} runs`);
  });

  test("hold up nobody that begins otherwise", async (world) => {
    await fill(world);
    const order: string[] = [];
    let meet = (): void => {};
    const met = new Promise<void>((resolve) => meet = resolve);
    let runs = 0;
    const collided = world.db.transaction(async (tx) => {
      const n = await tx.value<number>(READ, [1]);
      if (runs++ === 0) await world.sql("UPDATE t SET n = 5 WHERE id = 1");
      else {
        await world.db.transaction((other) => other.execute(WRITE, [1, 2]));
        order.push("other");
        meet();
      }
      await tx.execute(WRITE, [n! + 1, 1]);
    });
    await met;
    const alike = world.db.transaction(async (tx) => {
      const n = await tx.value<number>(READ, [1]);
      order.push("alike");
      await tx.execute(WRITE, [n! + 1, 1]);
    });
    await collided.then(() => order.push("collided"));
    await alike;
    assert.deepEqual(order, ["other", "collided", "alike"]);
    assert.equal(await world.value("SELECT n FROM t WHERE id = 1"), 7);
  });
});
