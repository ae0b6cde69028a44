import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Client, connect, IntegrityError, InterfaceError } from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { type RequestDatabase, rqlite, type RqliteMiddlewareOptions } from "../../src/hono/mod.ts";
import { ToldLock } from "../transaction/told_lock.ts";
import type { AppContext } from "./copies.ts";
import { add, test } from "./world.ts";

const TRANSACTION = { transaction: true };

describe("rqlite() refuses", () => {
  const db = connect(embedded());
  const wrong: [string, RqliteMiddlewareOptions | object, typeof TypeError | typeof RangeError][] =
    [
      ["key", { key: "" }, TypeError],
      ["key", { key: 1 }, TypeError],
      ["timeout", { timeout: 0 }, RangeError],
      ["timeout", { timeout: NaN }, RangeError],
      ["timeout", { timeout: "1" }, TypeError],
      ["transaction", { transaction: "yes" }, TypeError],
      ["transaction", { transaction: null }, TypeError],
      ["commitWhen", { commitWhen: () => true }, TypeError],
      ["commitWhen", { transaction: true, commitWhen: true }, TypeError],
      ["timeOut", { timeOut: 5 }, TypeError],
      ["level", { level: "max" }, TypeError],
      ["scope", { transaction: { scope: "" } }, TypeError],
      ["isolatoin", { transaction: { isolatoin: "none" } }, TypeError],
      ["retries", { transaction: { retries: 3 } }, TypeError],
      ["freshness", { transaction: true, level: "none", freshness: 5 }, TypeError],
    ];
  for (const [name, options, kind] of wrong) {
    it(`the option ${name} in ${JSON.stringify(options)}`, () => {
      const make = () => rqlite(db, options as RqliteMiddlewareOptions);
      assert.throws(make, (error) => error instanceof kind && error.message.includes(name));
    });
  }

  for (const client of [undefined, null, "http://localhost:4001", {}, Promise.resolve(db)]) {
    it(`a client that is ${client instanceof Promise ? "a promise" : String(client)}`, () => {
      assert.throws(() => rqlite(client as Client), { name: "TypeError", message: /`client`/ });
    });
  }
});

describe("two middlewares with the same key", () => {
  const second: [string, RqliteMiddlewareOptions, RqliteMiddlewareOptions][] = [
    ["a transaction in a transaction", TRANSACTION, TRANSACTION],
    ["no transaction in a transaction", TRANSACTION, {}],
  ];
  for (const [what, outer, inner] of second) {
    test(`are refused before anything is written: ${what}`, async ({ app, db, n, thrown }) => {
      const made = app(rqlite(db, outer), add, rqlite(db, inner));
      assert.equal((await made.request("/")).status, 500);
      assert.match(thrown[0]!.message, /`key` "db" as another middleware/);
      assert.equal(await n(), 0);
    });
  }

  test("are refused for two clients", async ({ app, db, thrown, network }) => {
    const another = connect("http://localhost:4001", { fetch: network.fetch as typeof fetch });
    const made = app(rqlite(db), add, rqlite(another));
    assert.equal((await made.request("/")).status, 500);
    assert.ok(thrown[0] instanceof TypeError);
    assert.deepEqual(network.requests, []);
  });

  test("are refused where the variable is the app's own", async ({ hono, db, n }) => {
    const app = new hono.Hono<{ Variables: { db: unknown } }>();
    app.onError((error, c) => c.text(error.name, 500));
    app.use("*", async (c, next) => {
      c.set("db", "mine");
      await next();
    });
    app.use("*", rqlite(db));
    app.get("/", (c) => add(c as unknown as AppContext));
    assert.equal((await app.request("/")).status, 500);
    assert.equal(await n(), 0);
  });

  test("may add a transaction for some of the routes", async ({ app, db, n }) => {
    const made = app(rqlite(db), add, rqlite(db, { transaction: true, commitWhen: () => false }));
    assert.equal((await made.request("/")).status, 200);
    assert.equal(await n(), 0);
  });

  test("work side by side under different keys", async ({ hono, db, n }) => {
    const app = new hono.Hono<{ Variables: { db: RequestDatabase; audit: RequestDatabase } }>();
    app.use("*", rqlite(db, { transaction: true }), rqlite(db, { key: "audit" }));
    app.get("/", async (c) => {
      await c.var.audit.execute("CREATE TABLE audit(line TEXT)");
      await c.var.db.execute("UPDATE t SET n = 1");
      return c.text("", 400);
    });
    await app.request("/");
    assert.equal(await n(), 0);
    assert.equal((await db.query("SELECT * FROM audit")).rows.length, 0);
  });
});

describe("c.var.db used outside of its request", () => {
  test("throws where it was a transaction", async ({ app, db, n }) => {
    for (const status of [200, 400]) {
      let kept: RequestDatabase | undefined;
      await app(rqlite(db, TRANSACTION), (c) => {
        kept = c.var.db;
        return new Response(null, { status });
      }).request("/");
      const late = [
        kept!.query("SELECT 1"),
        kept!.first("SELECT 1"),
        kept!.value("SELECT 1"),
        kept!.execute("UPDATE t SET n = 9"),
        kept!.batch(["UPDATE t SET n = 9"]),
        kept!.transaction(() => Promise.resolve()),
      ];
      for (const call of late) await assert.rejects(call, InterfaceError);
    }
    assert.equal(await n(), 0);
  });

  test("does not run behind the request's deadline", async ({ app, db, n }) => {
    let kept: RequestDatabase | undefined;
    await app(rqlite(db, { timeout: 10 }), (c) => {
      kept = c.var.db;
      return c.text("");
    }).request("/");
    await new Promise((resolve) => setTimeout(resolve, 15));
    await assert.rejects(kept!.execute("UPDATE t SET n = 9"), { name: "TimeoutError" });
    assert.equal(await n(), 0);
  });

  test("does not run after the request was aborted", async ({ app, db, n }) => {
    const controller = new AbortController();
    let kept: RequestDatabase | undefined;
    await app(rqlite(db), (c) => {
      kept = c.var.db;
      return c.text("");
    }).request("/", { signal: controller.signal });
    controller.abort();
    await assert.rejects(kept!.execute("UPDATE t SET n = 9"), { name: "AbortError" });
    assert.equal(await n(), 0);
  });
});

describe("a function for the client that fails", () => {
  test("goes to onError, and the next request is served", async ({ app, db, n, thrown }) => {
    let fails = true;
    const made = app(
      rqlite(() => {
        if (fails) throw new Error("no client");
        return db;
      }, TRANSACTION),
      add,
    );
    assert.equal((await made.request("/")).status, 500);
    assert.equal(thrown[0]!.message, "no client");
    fails = false;
    assert.equal((await made.request("/")).status, 200);
    assert.equal(await n(), 1);
  });

  for (const [what, value] of [["a promise", Promise.resolve()], ["nothing", undefined]] as const) {
    test(`by giving ${what} is a TypeError`, async ({ app, thrown }) => {
      const made = app(rqlite(() => value as never as Client), add);
      assert.equal((await made.request("/")).status, 500);
      assert.equal(thrown[0]!.name, "TypeError");
      assert.match(thrown[0]!.message, /`client`/);
    });
  }

  test("by a wrong URL does not show the password", async ({ app, thrown }) => {
    await app(rqlite(() => "htp://user:secret@host"), add).request("/");
    assert.ok(thrown[0] instanceof TypeError);
    assert.doesNotMatch(thrown[0].message, /secret/);
  });
});

describe("an option of rqlite() that is a function", () => {
  test("must not be async", async ({ app, db, n, thrown }) => {
    const later = () => Promise.resolve(true) as never;
    for (const options of [{ transaction: later }, { ...TRANSACTION, commitWhen: later }]) {
      assert.equal((await app(rqlite(db, options), add).request("/")).status, 500);
    }
    assert.deepEqual(thrown.map(({ name }) => name), ["TypeError", "TypeError"]);
    assert.match(thrown[0]!.message, /`transaction`/);
    assert.match(thrown[1]!.message, /`commitWhen`/);
    assert.equal(await n(), 0);
  });

  test("that throws leaves nothing behind", async ({ app, db, n, thrown }) => {
    const fails = () => {
      throw new Error("no");
    };
    const paid = async (c: AppContext) => {
      await add(c);
      return new Response("", { headers: { "set-cookie": "paid=yes" } });
    };
    for (const options of [{ transaction: fails }, { ...TRANSACTION, commitWhen: fails }]) {
      const answer = await app(rqlite(db, options), paid).request("/");
      assert.deepEqual([answer.status, answer.headers.get("set-cookie")], [500, null]);
    }
    assert.deepEqual([await n(), thrown.length], [0, 2]);
  });
});

describe("a handler that keeps an error to itself and answers 200", () => {
  test("commits the rest where one statement was refused", async ({ app, db, n }) => {
    const made = app(rqlite(db, TRANSACTION), async (c) => {
      await add(c);
      await assert.rejects(c.var.db.execute("UPDATE t SET n = 100"), IntegrityError);
      return c.text("");
    });
    assert.equal((await made.request("/")).status, 200);
    assert.equal(await n(), 1);
  });

  test("is no 200 where the transaction cannot be opened", async ({ app, db, thrown }) => {
    await db.close();
    const made = app(rqlite(db, TRANSACTION), async (c) => {
      await add(c).catch(() => {});
      return c.text("");
    });
    assert.equal((await made.request("/")).status, 500);
    assert.ok(thrown[0] instanceof InterfaceError);
  });

  test("is no 200 where options of the transaction are wrong", async ({ app, db, n, thrown }) => {
    const transaction = () => ({ scope: "" });
    const made = app(rqlite(db, { transaction }), async (c) => {
      await add(c).catch(() => {});
      return c.text("");
    });
    assert.equal((await made.request("/")).status, 500);
    assert.ok(thrown[0] instanceof TypeError);
    assert.equal(await n(), 0);
  });

  test("is no 200 where the lock was lost", async ({ app, db, n, thrown }) => {
    const lock = new ToldLock();
    const made = app(rqlite(db, { transaction: { lock } }), async (c) => {
      await add(c);
      lock.lose();
      await add(c).catch(() => {});
      return c.text("");
    });
    assert.equal((await made.request("/")).status, 500);
    assert.equal(thrown[0]!.name, "LockLostError");
    assert.deepEqual([await n(), lock.told], [0, ["acquire", "release"]]);
  });

  test("is no 200 where the time is over", async ({ app, db, n, thrown }) => {
    const made = app(rqlite(db, { ...TRANSACTION, timeout: 30 }), async (c) => {
      await add(c);
      await new Promise((resolve) => setTimeout(resolve, 40));
      return c.text("");
    });
    assert.equal((await made.request("/")).status, 500);
    assert.equal(thrown[0]!.name, "TimeoutError");
    assert.equal(await n(), 0);
  });
});

describe("an abort in the middle", () => {
  for (const [what, swallows] of [["is told", false], ["does not care", true]] as const) {
    test(`leaves nothing half-written where the handler ${what}`, async (world) => {
      const { app, db, n, network, thrown } = world;
      const lock = new ToldLock();
      const controller = new AbortController();
      const reason = new Error("gone");
      const made = app(rqlite(db, { transaction: { lock } }), async (c) => {
        await add(c);
        controller.abort(reason);
        if (!swallows) return await add(c);
        await add(c).catch(() => {});
        return c.text("");
      });
      const answer = await made.request("/", { signal: controller.signal });
      assert.notEqual(answer.status, 200);
      assert.equal(thrown[0], reason);
      assert.deepEqual([await n(), network.copies.length], [0, 0]);
      assert.deepEqual(lock.told, ["acquire", "release"]);
    });
  }
});
