// Many requests at once on a real server: what the answers say is what the database holds.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Hono } from "hono";
import { type Client, connect } from "../../mod.ts";
import { onRqliteError, rqlite } from "../../src/hono/mod.ts";
import { RqliteLock } from "../../src/locks/rqlite.ts";
import { type Rqlited, skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";
import type { AppEnv } from "./copies.ts";

const ACCOUNTS = 10;
const REQUESTS = 500;
const BALANCE = 100;

interface Transfer {
  readonly id: number;
  readonly from: number;
  readonly to: number;
  readonly amount: number;
}

/** Every seventh asks for more than there is, every eleventh is refused by the handler after it wrote. */
function transferOf(id: number): Transfer {
  const amount = id % 7 === 0 ? 50 * BALANCE : 1 + id % 5;
  return { id, from: id % ACCOUNTS, to: (id * 3 + 1) % ACCOUNTS, amount };
}

function bank(db: Client): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  app.onError(onRqliteError);
  app.use(rqlite(db, { transaction: true, timeout: 60_000 }));
  app.post("/transfers", async (c) => {
    const { id, from, to, amount } = await c.req.json<Transfer>();
    const { rows: [payer] } = await c.var.db.query<{ n: number }>(
      "SELECT n FROM accounts WHERE id = ?",
      [from],
    );
    await c.var.db.execute("INSERT INTO transfers VALUES(?)", [id]);
    await c.var.db.execute("UPDATE accounts SET n = ? WHERE id = ?", [payer!.n - amount, from]);
    await c.var.db.execute("UPDATE accounts SET n = n + ? WHERE id = ?", [amount, to]);
    return id % 11 === 0 ? c.text("refused", 400) : c.text("done");
  });
  return app;
}

describe("rqlite() under load", { skip: skipWithoutRqlited() }, () => {
  let server: Rqlited;
  let db: Client;
  before(async () => {
    server = await startRqlited();
    db = connect(server.url);
    await db.execute("CREATE TABLE accounts(id INTEGER PRIMARY KEY, n INTEGER CHECK(n >= 0))");
    await db.execute("CREATE TABLE transfers(id INTEGER PRIMARY KEY)");
    await db.batch(
      Array.from(
        { length: ACCOUNTS },
        (_, id) => ["INSERT INTO accounts VALUES(?, ?)", id, BALANCE],
      ),
    );
  });
  after(async () => {
    await db.close();
    await server.stop();
  });

  it("lets requests with a lock wait for each other, so that none conflicts", async () => {
    await db.execute("CREATE TABLE counter(n INTEGER)");
    await db.execute("INSERT INTO counter VALUES(0)");
    const app = new Hono<AppEnv>();
    app.onError(onRqliteError);
    const lock = new RqliteLock({ name: "counter", client: db });
    app.use(rqlite(db, { transaction: { lock }, timeout: 60_000 }));
    app.post("/", async (c) => {
      const { rows: [row] } = await c.var.db.query<{ n: number }>("SELECT n FROM counter");
      await c.var.db.execute("UPDATE counter SET n = ?", [row!.n + 1]);
      return c.text("counted");
    });
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => app.request("/", { method: "POST" })),
    );
    assert.deepEqual(answers.map(({ status }) => status), Array(20).fill(200));
    assert.deepEqual((await db.query("SELECT n FROM counter")).rows, [{ n: 20 }]);
  });

  it("keeps the sum of 500 transfers at once, and its answers are true", async () => {
    const app = bank(db);
    const answers = await Promise.all(
      Array.from({ length: REQUESTS }, async (_, id) => {
        const body = JSON.stringify(transferOf(id));
        const send = async () => (await app.request("/transfers", { method: "POST", body })).status;
        let status = await send();
        // As a patient client would: all of them at once leave most with a conflict.
        for (let again = 0; status === 409 && again < 3; again++) {
          await new Promise((resolve) => setTimeout(resolve, Math.random() * 500));
          status = await send();
        }
        return { id, status };
      }),
    );
    const done = answers.filter(({ status }) => status === 200).map(({ id }) => id);
    const { rows: kept } = await db.query<number[]>("SELECT id FROM transfers ORDER BY id", [], {
      rows: "array",
    });
    assert.deepEqual(kept.map(([id]) => id), done);
    assert.ok(done.length > 10, `only ${done.length} were done`);
    const others = answers.filter(({ status }) => ![200, 400, 409, 422].includes(status));
    assert.deepEqual(others, []);
    const expected = Array<number>(ACCOUNTS).fill(BALANCE);
    for (const id of done) {
      const { from, to, amount } = transferOf(id);
      expected[from]! -= amount;
      expected[to]! += amount;
    }
    const { rows } = await db.query<{ n: number }>("SELECT n FROM accounts ORDER BY id");
    assert.deepEqual(rows.map(({ n }) => n), expected);
    assert.equal(rows.reduce((sum, { n }) => sum + n, 0), ACCOUNTS * BALANCE);
  });
});
