import assert from "node:assert/strict";
import { describe, mock } from "node:test";
import { type Client, connect, type RqliteError } from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { RequestConflictError, type RequestDatabase, rqlite } from "../../src/hono/mod.ts";
import { callerLine } from "../support/caller_line.ts";
import type { AppEnv, Copy } from "./copies.ts";
import { add, test } from "./world.ts";

/** A fetch that never answers, and what it was asked with. */
function silent(): { fetch: typeof fetch; asked: AbortSignal[] } {
  const asked: AbortSignal[] = [];
  const hang = (_url: unknown, init?: RequestInit): Promise<Response> => {
    const signal = init!.signal!;
    asked.push(signal);
    return new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  };
  return { fetch: hang as typeof fetch, asked };
}

describe("rqlite() without a transaction", () => {
  test("gives each request the database at c.var.db", async ({ app, db, n }) => {
    const answer = await app(rqlite(db), add).request("/");
    assert.equal(await answer.text(), "added");
    assert.equal(await n(), 1);
  });

  for (const transaction of [false, true]) {
    const how = transaction ? "with" : "without";
    test(`answers first() and value() ${how} a transaction, by its options`, async (world) => {
      const { app, db, n } = world;
      await app(rqlite(db, { transaction, rows: "array", integers: "bigint" }), async (c) => {
        await c.var.db.execute("UPDATE t SET n = 5");
        assert.deepEqual(await c.var.db.first<unknown>("SELECT n FROM t"), [5n]);
        assert.equal(await c.var.db.value("SELECT n FROM t WHERE n > ?", [5]), undefined);
        assert.equal(await c.var.db.value("SELECT n FROM t", [], { integers: "number" }), 5);
        return c.text("");
      }).request("/");
      assert.equal(await n(), 5);
    });
  }

  for (const transaction of [false, true]) {
    const how = transaction ? "with" : "without";
    test(`begins the stack of an error with the handler's line, ${how} a transaction`, async (world) => {
      const { app, db, thrown } = world;
      const calls: ((db: RequestDatabase) => Promise<unknown>)[] = [
        (db) => db.query("SELECT nonsense"),
        (db) => db.execute("INSERT INTO t(nonsense) VALUES(1)"),
        (db) => db.batch(["INSERT INTO t(nonsense) VALUES(1)"]),
        (db) => db.first("SELECT nonsense"),
        (db) => db.value("SELECT nonsense"),
        (db) => db.value("SELECT 1; SELECT 2"),
      ];
      for (const call of calls) {
        const made = app(rqlite(db, { transaction }), async function handler(c) {
          await call(c.var.db);
          return c.text("");
        });
        assert.equal((await made.request("/")).status, 500);
        assert.match(callerLine(thrown.pop() as Error), /middleware_test/, String(call));
      }
    });
  }

  test("takes another name for it", async ({ hono, db }) => {
    const app = new hono.Hono<{ Variables: { orders: typeof db } }>();
    app.use("*", rqlite(db, { key: "orders" }));
    app.get("/", async (c) => c.json((await c.var.orders.query("SELECT n FROM t")).rows));
    assert.deepEqual(await (await app.request("/")).json(), [{ n: 0 }]);
  });

  test("keeps what was written when the handler fails", async ({ app, db, n, thrown }) => {
    const made = app(rqlite(db), async (c) => {
      await add(c);
      throw new Error("no");
    });
    assert.equal((await made.request("/")).status, 500);
    assert.deepEqual([await n(), thrown.length], [1, 1]);
  });

  test("ends calls with the request's abort and its reason", async ({ app, thrown }) => {
    const { fetch, asked } = silent();
    const controller = new AbortController();
    const reason = new Error("the client is gone");
    const answer = app(rqlite(connect({ fetch })), add).request("/", { signal: controller.signal });
    while (asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    controller.abort(reason);
    await answer;
    assert.equal(thrown[0], reason);
    assert.equal(asked[0]!.aborted, true);
  });

  for (const whose of ["request", "call"] as const) {
    test(`ends a call that has a signal of its own by that of the ${whose}`, async (world) => {
      const { app, thrown } = world;
      const { fetch, asked } = silent();
      const controllers = { request: new AbortController(), call: new AbortController() };
      const reason = new Error("enough");
      const answer = app(rqlite(connect({ fetch })), async (c) => {
        const { signal } = controllers.call;
        return c.json(await c.var.db.query("SELECT 1", [], { signal }));
      }).request("/", { signal: controllers.request.signal });
      while (asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      controllers[whose].abort(reason);
      await answer;
      assert.equal(thrown[0], reason);
    });
  }

  test("has one deadline over all calls of a request", async ({ app }) => {
    const { fetch, asked } = silent();
    const codes: string[] = [];
    const made = app(rqlite(connect({ fetch }), { timeout: 1000 }), async (c) => {
      for (let i = 0; i < 2; i++) {
        const call = c.var.db.query("SELECT 1", [], { timeout: 60_000 });
        await call.catch((error: RqliteError) => codes.push(error.code));
        // A timer may fire a little too early.
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      return c.text("");
    });
    await made.request("/");
    assert.deepEqual(codes, ["ERR_TIMEOUT", "ERR_TIMEOUT"]);
    assert.equal(asked.length, 1); // the second had no time left
  });

  test("lets a call have less time than the request", async ({ app, thrown }) => {
    const made = app(rqlite(connect({ fetch: silent().fetch }), { timeout: 60_000 }), async (c) => {
      return c.json(await c.var.db.query("SELECT 1", [], { timeout: 20 }));
    });
    await made.request("/");
    assert.equal((thrown[0] as RqliteError).code, "ERR_TIMEOUT");
  });

  test("has defaults, and calls that say otherwise", async ({ app, hono: { version } }) => {
    const engine = embedded();
    const levels: (string | null)[] = [];
    const recording = (url: string | URL | Request, init?: RequestInit): Promise<Response> => {
      levels.push(new URL(String(url)).searchParams.get("level"));
      return engine.fetch(url, init);
    };
    const db = connect({ fetch: recording as typeof fetch, close: engine.close });
    const made = app(rqlite(db, { rows: "array", level: "none" }), async (c) => {
      const own = { rows: "object", level: "weak" } as const;
      const first = await c.var.db.query("SELECT 1 AS one");
      const second = await c.var.db.query("SELECT 1 AS one", [], own);
      const [third] = await c.var.db.batch(["SELECT 1 AS one"], { rows: undefined } as object);
      return c.json([first.rows, second.rows, third!.rows]);
    });
    const answer = await (await made.request("/")).json();
    assert.deepEqual(answer, [[[1]], [{ one: 1 }], [[1]]], version);
    assert.deepEqual(levels, ["none", "weak", "none"]);
    await db.close();
  });

  test("serves a streamed body as well", async ({ hono, db }) => {
    const app = new hono.Hono<AppEnv>();
    app.use("*", rqlite(db));
    app.get("/", (c) =>
      hono.stream(c, async (body) => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        const { rows } = await c.var.db.query("SELECT n FROM t");
        await body.write(JSON.stringify(rows));
      }));
    assert.equal(await (await app.request("/")).text(), '[{"n":0}]');
  });

  test("runs transactions of their own", async ({ app, db, n, set }) => {
    let runs = 0;
    const made = app(rqlite(db), async (c) => {
      await c.var.db.transaction(async (tx) => {
        const { rows: [row] } = await tx.query<{ n: number }>("SELECT n FROM t");
        if (++runs === 1) await set(10);
        await tx.execute("UPDATE t SET n = ?", [row!.n + 1]);
      }, { retries: 1 });
      return c.text("");
    });
    assert.equal((await made.request("/")).status, 200);
    assert.deepEqual([await n(), runs], [11, 2]);
  });

  test("reports a conflict of such a transaction as one that answers 409", async (world) => {
    const { app, db, set, thrown } = world;
    const made = app(rqlite(db), async (c) => {
      await c.var.db.transaction(async (tx) => {
        await tx.query("SELECT n FROM t");
        await set(10);
        await tx.execute("UPDATE t SET n = 1");
      }, { retries: 0 });
      return c.text("");
    });
    await made.request("/");
    assert.ok(thrown[0] instanceof RequestConflictError);
    assert.equal(thrown[0].getResponse().status, 409);
  });
});

/** An app that tells the client of each request, and what asks it for the one of a URL. */
function asking({ hono }: { hono: Copy }, between: () => Promise<unknown> = async () => {}) {
  const app = new hono.Hono<AppEnv & { Bindings: { RQLITE_URL: string } }>();
  const seen: Client[] = [];
  app.use("*", rqlite((c) => c.env.RQLITE_URL));
  app.use("*", async (_, next) => {
    await between();
    await next();
  });
  app.use("*", rqlite((c) => c.env.RQLITE_URL, { transaction: true }));
  app.get("/", (c) => {
    seen.push(c.var.db.client);
    return c.text("");
  });
  return async (RQLITE_URL: string): Promise<Client> => {
    assert.equal((await app.request("/", {}, { RQLITE_URL })).status, 200);
    return seen.at(-1)!;
  };
}

describe("rqlite() with a function for the client", () => {
  test("asks it for each request", async ({ app, db, n }) => {
    const paths: string[] = [];
    const made = app(rqlite((c) => (paths.push(c.req.path), db)), add);
    await made.request("/");
    await made.request("/?again");
    assert.deepEqual([paths.length, await n()], [2, 2]);
  });

  test("makes one client for each URL that it gives", async (world) => {
    const ask = asking(world);
    const [a, b] = ["http://a:4001?level=weak", "http://b:4001?level=weak"];
    const first = await ask(a);
    assert.notEqual(await ask(b), first);
    assert.equal(await ask(a), first);
    await first.close();
    assert.equal((await ask(a)).closed, false);
  });

  test("keeps the clients of the last 100 URLs, and closes none", async (world) => {
    const ask = asking(world);
    const hosts = (count: number) => Array.from({ length: count }, (_, i) => `http://host${i}`);
    const [old, used] = [await ask("http://old"), await ask("http://used")];
    for (const url of hosts(60)) await ask(url);
    assert.equal(await ask("http://used"), used);
    for (const url of hosts(99)) await ask(url);
    assert.equal(await ask("http://used"), used);
    assert.notEqual(await ask("http://old"), old);
    assert.equal(old.closed, false);
  });

  test("gives a request one client, also where others come in between", async (world) => {
    const others = asking(world);
    const ask = asking(world, async () => {
      for (let i = 0; i < 101; i++) await others(`http://other${i}`);
    });
    await ask("http://mine");
  });

  test("has a client for each password, and remembers none of them", async (world) => {
    const remembered = mock.method(Map.prototype, "set");
    const ask = asking(world);
    try {
      const url = (password: string) => `http://user:${password}@host:4001`;
      const first = await ask(url("secret1"));
      assert.notEqual(await ask(url("secret2")), first);
      assert.equal(await ask(url("secret1")), first);
      const texts = remembered.mock.calls.map(({ arguments: [key] }) => String(key));
      assert.ok(texts.some((key) => key.split(",").length === 32)); // a digest
      assert.deepEqual(texts.filter((key) => key.includes("secret")), []);
    } finally {
      remembered.mock.restore();
    }
  });
});
