import assert from "node:assert/strict";
import { describe } from "node:test";
import { sql } from "drizzle-orm";
import { integer, sqliteTable } from "drizzle-orm/sqlite-core";
import {
  InterfaceError,
  OutcomeUnknownError,
  TimeoutError,
  type TransactionConflictError,
  type TransactionOptions,
} from "../../mod.ts";
import {
  onRqliteError,
  RequestConflictError,
  type RequestDatabase,
  rqlite,
  type RqliteMiddlewareOptions,
} from "../../src/hono/mod.ts";
import { drizzle } from "../../packages/drizzle/mod.ts";
import { ToldLock } from "../transaction/told_lock.ts";
import type { AppContext, AppEnv } from "./copies.ts";
import { add, test } from "./world.ts";

describe("rqlite() with a transaction", () => {
  test("commits what a handler that succeeded did, before the answer", async (world) => {
    const { app, db, n } = world;
    const made = app(rqlite(db, { transaction: true }), async (c) => {
      await add(c);
      assert.equal(await n(), 0); // nobody else sees it yet
      return await add(c); // which sees what the first did
    });
    assert.equal((await made.request("/")).status, 200);
    assert.equal(await n(), 2);
  });

  test("sends nothing for a handler that does not use it", async ({ app, db, network }) => {
    const lock = new ToldLock();
    await app(rqlite(db, { transaction: { lock } }), (c) => c.text("")).request("/");
    assert.deepEqual(network.requests, []);
    assert.deepEqual(lock.told, []);
  });

  test("commits after a redirect, and where no handler matches nothing", async (world) => {
    const { app, db, n } = world;
    const made = app(rqlite(db, { transaction: true }), async (c) => {
      await add(c);
      return c.redirect("/elsewhere");
    });
    assert.equal((await made.request("/")).status, 302);
    assert.equal((await made.request("/elsewhere")).status, 404);
    assert.equal(await n(), 1);
  });

  const failures: [string, number, (c: AppContext, fail: () => Error) => Response][] = [
    ["throws", 500, () => {
      throw new Error("no");
    }],
    ["throws an HTTPException", 500, (_, fail) => {
      throw fail();
    }],
    ["answers 404", 404, (c) => c.text("", 404)],
    ["answers 500", 500, (c) => c.text("", 500)],
  ];
  for (const [what, status, end] of failures) {
    test(`rolls back when the handler ${what}`, async ({ app, db, n, network, hono }) => {
      const made = app(rqlite(db, { transaction: true }), async (c) => {
        await add(c);
        return end(c, () => new hono.HTTPException(400, { message: "bad" }));
      });
      assert.equal((await made.request("/")).status, status);
      assert.equal(await n(), 0);
      assert.equal(network.copies.length, 0);
    });
  }

  test("rolls back when something is thrown that is no Error", async ({ app, db, n }) => {
    const lock = new ToldLock();
    const made = app(rqlite(db, { transaction: { lock } }), async (c) => {
      await add(c);
      throw "no";
    });
    await assert.rejects(
      async () => await made.request("/"),
      (error) => (error as unknown) === "no",
    );
    assert.equal(await n(), 0);
    assert.deepEqual(lock.told, ["acquire", "release"]);
  });

  test("rolls back where a part of the app answered the error itself", async ({ hono, db, n }) => {
    const part = new hono.Hono<AppEnv>();
    part.onError((_, c) => c.text("handled", 200));
    part.get("/", async (c) => {
      await add(c);
      throw new Error("no");
    });
    const app = new hono.Hono<AppEnv>();
    app.use("*", rqlite(db, { transaction: true }));
    app.route("/part", part);
    assert.equal((await app.request("/part")).status, 200);
    assert.equal(await n(), 0);
  });

  test("asks commitWhen instead", async ({ app, db, n }) => {
    const made = (commitWhen: (c: { res: Response }) => boolean) =>
      app(rqlite(db, { transaction: true, commitWhen }), async (c) => {
        await add(c);
        return c.text("", 404);
      });
    assert.equal((await made((c) => c.res.status === 404).request("/")).status, 404);
    assert.equal(await n(), 1);
    assert.equal((await made(() => false).request("/")).status, 404);
    assert.equal(await n(), 1);
    const broken = made(() => {
      throw new Error("commitWhen failed");
    });
    assert.equal((await broken.request("/")).status, 500);
    assert.equal(await n(), 1);
  });

  test("asks its function which requests have one", async ({ app, db, n }) => {
    const transaction = (c: { req: { method: string } }): TransactionOptions | boolean =>
      c.req.method === "POST" ? { mode: "lazy" } : c.req.method === "PUT";
    const made = app(rqlite(db, { transaction }), async (c) => {
      await add(c);
      return c.text("", 400);
    });
    await made.request("/", { method: "POST" });
    await made.request("/", { method: "PUT" });
    assert.equal(await n(), 0);
    await made.request("/");
    assert.equal(await n(), 1);
  });

  test("is what transactions of Drizzle on c.var.db are savepoints of", async ({ app, db, n }) => {
    const made = app(rqlite(db, { transaction: true }), async (c) => {
      const orm = drizzle(c.var.db);
      await orm.transaction((tx) => tx.run(sql`UPDATE t SET n = 1`));
      const undone = orm.transaction(async (tx) => {
        await tx.run(sql`UPDATE t SET n = 2`);
        tx.rollback();
      });
      await assert.rejects(undone);
      const lazy = orm.transaction(() => Promise.resolve(), { mode: "lazy" });
      await assert.rejects(lazy, /`mode`/);
      return c.text(String(await c.var.db.value("SELECT n FROM t")));
    });
    assert.equal(await (await made.request("/", { method: "POST" })).text(), "1");
    assert.equal(await n(), 1);
  });

  test("lets a handler that throws answer, also while its transaction waits to begin", async ({ app, db }) => {
    const made = app(rqlite(db, { transaction: true }), (c) => {
      c.var.db.execute("UPDATE t SET n = 1").catch(() => {});
      throw new Error("no");
    });
    const first = await db.begin({ turns: true });
    assert.equal((await made.request("/", { method: "POST" })).status, 500);
    // Nobody has waited for so long that he passed it over.
    await assert.rejects(db.begin({ turns: true, timeout: 1_000 }), TimeoutError);
    await first.rollback();
  });

  test("holds its lock until the commit is done", async ({ app, db, n }) => {
    const lock = new ToldLock();
    const made = app(rqlite(db, { transaction: { lock } }), async (c) => {
      await add(c);
      assert.deepEqual(lock.told, ["acquire"]);
      return await add(c);
    });
    await made.request("/");
    assert.deepEqual([lock.told, await n()], [["acquire", "release"], 2]);
  });

  test("nests transactions, which take no options", async ({ app, db, n, thrown }) => {
    const made = app(rqlite(db, { transaction: true }), async (c) => {
      await add(c);
      const undone = c.var.db.transaction(async (tx) => {
        await tx.execute("UPDATE t SET n = 50");
        throw new Error("undo");
      });
      await assert.rejects(undone, /undo/);
      const options = c.req.query("scope") === undefined ? {} : { scope: "x" };
      await c.var.db.transaction((tx) => tx.execute("UPDATE t SET n = n + 1"), options);
      return c.text("");
    });
    assert.equal((await made.request("/?scope")).status, 500);
    assert.match(thrown[0]!.message, /`scope`/);
    assert.equal(await n(), 0);
    assert.equal((await made.request("/")).status, 200);
    assert.equal(await n(), 2);
  });

  test("has the defaults of the middleware, and its own win", async ({ app, db }) => {
    const read = async (c: AppContext) => c.json((await c.var.db.query("SELECT n FROM t")).rows);
    const rows = async (options: RqliteMiddlewareOptions) =>
      await (await app(rqlite(db, { rows: "array", ...options }), read).request("/")).json();
    assert.deepEqual(await rows({ transaction: true }), [[0]]);
    assert.deepEqual(await rows({ transaction: { rows: "object" } }), [{ n: 0 }]);
  });

  test("leaves alone what the handler ended itself", async ({ app, db, n }) => {
    const made = app(rqlite(db, { transaction: true }), async (c) => {
      await c.var.db.transaction(async (tx) => {
        await tx.execute("UPDATE t SET n = n + 1");
        await (c.req.query("end") === "commit" ? tx.commit() : tx.rollback());
      });
      return c.text("", c.req.query("fails") === undefined ? 200 : 400);
    });
    for (
      const [query, status, left] of [
        ["end=commit", 200, 1],
        ["end=commit&fails", 400, 2],
        ["end=rollback", 200, 2],
      ]
    ) {
      assert.equal((await made.request(`/?${query}`)).status, status);
      assert.equal(await n(), left);
    }
  });

  test("gives the client for what is no part of it", async ({ app, db, n }) => {
    const made = app(rqlite(db, { transaction: true }), async (c) => {
      assert.equal(c.var.db.client, db);
      await add(c);
      return c.json(await c.var.db.client.ready(), 400);
    });
    assert.equal(await (await made.request("/")).json(), true);
    assert.equal(await n(), 0);
  });

  test("commits what nobody waited for, and reports it when it fails", async (world) => {
    const { app, db, n } = world;
    const made = app(rqlite(db, { transaction: true }), (c) => {
      void c.var.db.execute("UPDATE t SET n = n + ?", [Number(c.req.query("n"))]);
      return c.text("");
    });
    assert.equal((await made.request("/?n=5")).status, 200);
    assert.equal(await n(), 5);
    assert.equal((await made.request("/?n=100")).status, 500);
    assert.equal(await n(), 5);
  });

  test("does so with what Drizzle on c.var.db has sent", async ({ app, db, n }) => {
    const table = sqliteTable("t", { n: integer() });
    const made = app(rqlite(db, { transaction: true }), (c) => {
      const set = { n: sql`n + ${Number(c.req.query("n"))}` };
      void drizzle(c.var.db).update(table).set(set).run();
      return c.text("");
    });
    assert.equal((await made.request("/?n=5")).status, 200);
    assert.equal(await n(), 5);
    assert.equal((await made.request("/?n=100")).status, 500);
    assert.equal(await n(), 5);
  });
});

/** Reads, lets somebody else write, writes. */
const late = (set: (n: number) => Promise<unknown>) => async (c: AppContext): Promise<Response> => {
  const { rows: [row] } = await c.var.db.query<{ n: number }>("SELECT n FROM t");
  await set(42);
  await c.var.db.execute("UPDATE t SET n = ?", [row!.n + 1]).catch((error) => {
    if (c.req.query("swallow") === undefined) throw error;
  });
  c.header("etag", '"1"');
  return c.text("added", 200, { "set-cookie": "paid=yes", "x-more": "1" });
};

describe("a commit of rqlite() that fails", () => {
  for (const mode of ["eager", "lazy"] as const) {
    for (const path of ["/", "/?swallow"]) {
      const how = `${mode}${path === "/" ? "" : ", swallowed by the handler"}`;
      test(`is a 409 for a conflict (${how})`, async ({ hono, db, n, set }) => {
        const app = new hono.Hono<AppEnv>();
        app.onError(onRqliteError);
        app.use("*", rqlite(db, { transaction: { mode } }));
        app.get("/", late(set));
        const answer = await app.request(path);
        assert.equal(answer.status, 409);
        assert.equal((await answer.json()).code, "ERR_TRANSACTION_CONFLICT");
        assert.equal(await n(), 42);
      });
    }
  }

  test("leaves nothing of the answer that it replaces", async ({ hono, db, set }) => {
    const app = new hono.Hono<AppEnv>();
    app.onError(onRqliteError);
    app.use("*", rqlite(db, { transaction: { mode: "lazy" } }));
    app.get("/", late(set));
    const answer = await app.request("/");
    assert.equal(answer.status, 409);
    for (const name of ["set-cookie", "x-more", "etag"]) {
      assert.equal(answer.headers.get(name), null);
    }
  });

  test("answers 409 without an onError where Hono asks errors, else 500", async ({ hono, db, set }) => {
    const app = new hono.Hono<AppEnv>();
    app.use("*", rqlite(db, { transaction: true }));
    app.get("/", late(set));
    const answer = await app.request("/");
    assert.equal(answer.status, hono.asksErrors ? 409 : 500);
    assert.doesNotMatch(await answer.text(), /UPDATE|SELECT|localhost/);
  });

  test("is an error that onError can read", async ({ app, db, set, thrown }) => {
    await app(rqlite(db, { transaction: true }), late(set)).request("/");
    const [error] = thrown as TransactionConflictError[];
    assert.ok(error instanceof RequestConflictError);
    assert.deepEqual([error.status, error.retryable, error.attempts], [409, true, 1]);
    assert.equal(error.getResponse().status, 409);
  });

  test("reports an unknown outcome, and the write may stand", async (world) => {
    const { app, db, n, network, thrown } = world;
    network.plan = () => "lose answer";
    const made = app(rqlite(db, { transaction: true }), add);
    assert.equal((await made.request("/")).status, 500);
    assert.ok(thrown[0] instanceof OutcomeUnknownError);
    network.plan = () => "pass";
    assert.equal(await db.outcome(thrown[0].id!), "committed");
    assert.equal(await n(), 1);
  });

  test("cancels a body that is streamed", async ({ hono, db, set, network }) => {
    let cancelled = false;
    const app = new hono.Hono<AppEnv>();
    app.onError(onRqliteError);
    app.use("*", rqlite(db, { transaction: { mode: "lazy" } }));
    app.get("/", async (c) => {
      await late(set)(c);
      return new Response(new ReadableStream({ cancel: () => void (cancelled = true) }));
    });
    assert.equal((await app.request("/")).status, 409);
    assert.equal(cancelled, true);
    assert.ok(network.requests.length > 0);
  });
});

describe("a streamed body and rqlite() with a transaction", () => {
  test("keeps what came before the answer, and refuses what comes later", async (world) => {
    const { hono, db, n } = world;
    const refused: unknown[] = [];
    const app = new hono.Hono<AppEnv>();
    app.use("*", rqlite(db, { transaction: true }));
    app.get("/", async (c) => {
      await add(c);
      return hono.streamSSE(c, async (stream) => {
        await stream.writeSSE({ data: "1" });
        await new Promise((resolve) => setTimeout(resolve, 20));
        await c.var.db.execute("UPDATE t SET n = 50").catch((error) => refused.push(error));
        await c.var.db.transaction(() => Promise.resolve()).catch((error) => refused.push(error));
        await stream.writeSSE({ data: "2" });
      });
    });
    const answer = await app.request("/");
    assert.equal(await n(), 1);
    assert.match(await answer.text(), /data: 1[^]*data: 2/);
    assert.equal(refused.length, 2);
    for (const error of refused) {
      assert.ok(error instanceof InterfaceError);
      assert.match(error.message, /over: after the answer/);
    }
    assert.equal(await n(), 1);
  });

  /** What a body may call first, while the handler has not even answered. */
  const calls: Record<string, (db: RequestDatabase) => Promise<unknown>> = {
    query: (db) => db.query("SELECT n FROM t"),
    execute: (db) => db.execute("UPDATE t SET n = 50"),
    batch: (db) => db.batch(["UPDATE t SET n = 50"]),
    first: (db) => db.first("SELECT n FROM t"),
    "execute with a signal": (db) => {
      return db.execute("UPDATE t SET n = 50", [], { signal: new AbortController().signal });
    },
  };
  for (const [name, call] of Object.entries(calls)) {
    for (const how of ["stream", "streamText", "streamSSE"] as const) {
      for (const writes of [true, false]) {
        const when = writes ? "behind a write of the handler" : "before all else";
        test(`refuses the first call of ${how}(), too: ${name} ${when}`, async (world) => {
          const { app, db, hono, n, network, thrown } = world;
          const lock = new ToldLock();
          const made = app(rqlite(db, { transaction: { lock } }), async (c) => {
            if (writes) await add(c);
            return hono[how](
              c as never,
              async (body: { write(text: string): Promise<unknown> }) => {
                const told = await call(c.var.db).then(() => "done", (error) => error);
                await body.write(told instanceof InterfaceError ? told.message : String(told));
              },
            );
          });
          const answer = await made.request("/");
          assert.equal(answer.status, 200);
          assert.equal(await n(), writes ? 1 : 0); // committed before the answer
          assert.equal(network.copies.length, writes ? 1 : 0);
          assert.match(await answer.text(), /^The request's transaction is over: after the answer/);
          assert.equal(await n(), writes ? 1 : 0);
          assert.deepEqual(lock.told, ["acquire", "release"]);
          assert.deepEqual(thrown, []);
        });
      }
    }
  }

  test("refuses what waitUntil() goes on with, and what comes after the answer", async (world) => {
    const { hono, db, n } = world;
    const app = new hono.Hono<AppEnv>();
    const background: Promise<unknown>[] = [];
    const executionCtx = {
      waitUntil: (promise: Promise<unknown>) =>
        void background.push(promise.catch((error: unknown) => error)),
      passThroughOnException: () => {},
      props: {},
    };
    let kept: RequestDatabase | undefined;
    app.use("*", rqlite(db, { transaction: true }));
    app.get("/", async (c) => {
      kept = c.var.db;
      await add(c);
      c.executionCtx.waitUntil((async () => {
        await c.var.db.execute("UPDATE t SET n = 50");
      })());
      return c.text("");
    });
    assert.equal((await app.request("/", {}, {}, executionCtx)).status, 200);
    assert.equal(await n(), 1);
    assert.ok(await background[0] instanceof InterfaceError);
    await assert.rejects(kept!.execute("UPDATE t SET n = 50"), InterfaceError);
    await assert.rejects(kept!.transaction((tx) => tx.query("SELECT 1")), InterfaceError);
    assert.equal(await n(), 1);
  });

  test("is no 200 where it begins a nested transaction while the handler runs", async (world) => {
    const { app, db, hono, n, network, thrown } = world;
    const told: unknown[] = [];
    const made = app(rqlite(db, { transaction: true }), async (c) => {
      await add(c);
      return hono.stream(c, async () => {
        const nested = c.var.db.transaction((tx) => tx.execute("UPDATE t SET n = 50"));
        await nested.catch((error) => told.push(error));
      });
    });
    assert.equal((await made.request("/")).status, 500);
    assert.deepEqual([thrown.length, told.length], [1, 1]);
    for (const error of [thrown[0], told[0]]) assert.ok(error instanceof InterfaceError);
    assert.deepEqual([await n(), network.copies.length], [0, 0]);
  });

  test("has no part of what the handler did not wait for", async ({ app, db, n, hono }) => {
    const told: unknown[] = [];
    const made = app(rqlite(db, { transaction: true }), async (c) => {
      const unheeded = c.var.db.execute("UPDATE t SET n = n + 5");
      void unheeded;
      await add(c);
      return hono.stream(c, async () => {
        void c.var.db.execute("UPDATE t SET n = n + 20"); // nobody waits: the handler's own
        await c.var.db.execute("UPDATE t SET n = 50").catch((error) => told.push(error));
      });
    });
    assert.equal((await made.request("/")).status, 200);
    assert.deepEqual([await n(), told.length], [26, 1]);
  });
});
