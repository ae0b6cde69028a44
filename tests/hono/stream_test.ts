// Bodies that are streamed and use the database: behind a commit, whatever they are made by.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Hono, type MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { compress } from "hono/compress";
import { csrf } from "hono/csrf";
import { etag } from "hono/etag";
import { jsx } from "hono/jsx";
import { renderToReadableStream, Suspense } from "hono/jsx/streaming";
import { logger } from "hono/logger";
import { timeout } from "hono/timeout";
import { type Client, InterfaceError } from "../../mod.ts";
import { onRqliteError, type RequestDatabase, rqlite } from "../../src/hono/mod.ts";
import { until } from "../support/http.ts";
import { ToldLock } from "../transaction/told_lock.ts";
import { PLACES } from "../transaction/world.ts";
import { type AppContext, type AppEnv, COPIES, type Copy } from "./copies.ts";
import { serveHere } from "./serve.ts";
import { add, test } from "./world.ts";

const [, newest] = COPIES;

/** Answers a body with the text that `work` finds. */
type Begin = (hono: Copy, c: AppContext, work: () => Promise<string>) => Response;

function pulled(work: () => Promise<string>): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async start(controller) {
      controller.enqueue(new TextEncoder().encode(await work()));
      controller.close();
    },
  });
}

const BODIES: Readonly<Record<string, Begin>> = {
  "stream()": ({ stream }, c, work) =>
    stream(c, async (body) => void await body.write(await work())),
  "streamText()": ({ streamText }, c, work) =>
    streamText(c, async (body) => void await body.write(await work())),
  "streamSSE()": ({ streamSSE }, c, work) =>
    streamSSE(c, async (body) => await body.writeSSE({ data: await work() })),
  "pipe()": ({ stream }, c, work) => stream(c, (body) => body.pipe(pulled(work))),
  "c.body()": (_, c, work) => c.body(pulled(work)),
  "a Response": (_, _c, work) => new Response(pulled(work)),
};

/** Ends the request's transaction, as docs/hono.md says. */
const commit = (db: RequestDatabase) => db.transaction((tx) => tx.commit());

describe("a streamed body behind the commit of its handler", () => {
  for (const [name, begin] of Object.entries(BODIES)) {
    test(`sees by ${name} what was committed, and may write`, async (world) => {
      const { app, db, hono, n, thrown } = world;
      const lock = new ToldLock();
      const made = app(rqlite(db, { transaction: { lock } }), async (c) => {
        await add(c);
        await commit(c.var.db);
        return begin(hono, c, async () => {
          assert.deepEqual(lock.told, ["acquire", "release"]);
          const { client } = c.var.db;
          const seen = await client.value("SELECT n FROM t");
          await client.execute("UPDATE t SET n = n + 10");
          return `seen ${seen}`;
        });
      });
      const answer = await made.request("/");
      assert.deepEqual([answer.status, thrown], [200, []]);
      assert.match(await answer.text(), /seen 1\b/);
      assert.equal(await n(), 11);
    });
  }

  test("is told to use the client, by every call of the transaction", async (world) => {
    const { app, db, hono } = world;
    const made = app(rqlite(db, { transaction: true }), async (c) => {
      await add(c);
      await commit(c.var.db);
      const told: unknown[] = [];
      const ask = async () => void told.push(await c.var.db.query("SELECT 1").catch((e) => e));
      await ask();
      return hono.stream(c, async (body) => {
        for (let i = 0; i < 3; i++) await ask();
        const over = /is over: .* use `client` of it, and before such a body .*tx\.commit\(\)/;
        const right = told.filter((e) => e instanceof InterfaceError && over.test(e.message));
        await body.write(`${right.length}`);
      });
    });
    assert.equal(await (await made.request("/")).text(), "4");
  });

  test("never begins where the commit conflicts: 409, and nothing is kept", async (world) => {
    const { hono, db, n, set } = world;
    const app = new hono.Hono<AppEnv>();
    let begun = 0;
    app.onError(onRqliteError);
    app.use("*", rqlite(db, { transaction: { mode: "lazy" } }));
    app.get("/", async (c) => {
      await add(c);
      await set(42);
      await commit(c.var.db);
      return hono.stream(c, async (body) => {
        begun++;
        await body.write("");
      });
    });
    const answer = await app.request("/");
    assert.deepEqual([answer.status, await n(), begun], [409, 42, 0]);
  });

  test("takes nothing back where it fails, or where the answer is 400", async (world) => {
    const { app, db, n } = world;
    const made = app(rqlite(db, { transaction: true }), async (c) => {
      await add(c);
      await commit(c.var.db);
      const body = new ReadableStream({ pull: () => Promise.reject(new Error("no")) });
      return new Response(body, { status: c.req.query("fails") === undefined ? 200 : 400 });
    });
    for (const path of ["/", "/?fails"]) {
      const answer = await made.request(path);
      await assert.rejects(answer.text());
    }
    assert.equal(await n(), 2);
  });

  test("answers HEAD without a body, and the commit stands", async ({ hono, db, n }) => {
    const app = new hono.Hono<AppEnv>();
    app.use("*", rqlite(db, { transaction: true }));
    app.get("/", async (c) => {
      await add(c);
      await commit(c.var.db);
      return hono.stream(c, async (body) => void await body.write("text"));
    });
    const answer = await app.request("/", { method: "HEAD" });
    assert.deepEqual([answer.status, await answer.text(), await n()], [200, "", 1]);
  });

  test("may be left to waitUntil()", async ({ hono, db, n }) => {
    const app = new hono.Hono<AppEnv>();
    const background: Promise<unknown>[] = [];
    const context = {
      waitUntil: (promise: Promise<unknown>) => void background.push(promise),
      passThroughOnException: () => {},
      props: {},
    };
    app.use("*", rqlite(db, { transaction: true }));
    app.get("/", async (c) => {
      await add(c);
      await commit(c.var.db);
      c.executionCtx.waitUntil(c.var.db.client.execute("UPDATE t SET n = n + 10"));
      return c.text("");
    });
    assert.equal((await app.request("/", {}, {}, context)).status, 200);
    await Promise.all(background);
    assert.equal(await n(), 11);
  });

  test("ends with its reader, and what was committed stays", async ({ app, db, n, hono }) => {
    let ended = false;
    const made = app(rqlite(db, { transaction: true }), async (c) => {
      await add(c);
      await commit(c.var.db);
      return hono.stream(c, async (body) => {
        await body.write("begun");
        await new Promise((resolve) => body.onAbort(() => resolve(undefined)));
        ended = true;
      });
    });
    const server = await serveHere(made.fetch);
    try {
      const controller = new AbortController();
      const answer = await fetch(server.url, { signal: controller.signal });
      const reader = answer.body!.getReader();
      assert.equal(new TextDecoder().decode((await reader.read()).value), "begun");
      controller.abort();
      await assert.rejects(reader.read());
      await until("end", () => Promise.resolve(ended || undefined));
    } finally {
      await server.close();
    }
    assert.equal(await n(), 1);
  });
});

const MIDDLEWARE: readonly MiddlewareHandler[] = [
  bodyLimit({ maxSize: 1_000 }),
  compress(),
  csrf(),
  etag(), // reads the whole body before it answers
  logger(() => {}),
  timeout(60_000),
];

describe("a streamed body of a part of an app", () => {
  it("sees by components of JSX what was committed", () =>
    PLACES[0]!.run(async ({ db, sql }) => {
      await sql("CREATE TABLE t(n INTEGER)");
      await sql("INSERT INTO t VALUES(0)");
      const app = new Hono<AppEnv>().use(rqlite(db, { transaction: true }));
      app.get("/", async (c) => {
        await add(c);
        await commit(c.var.db);
        const Seen = async () => `seen ${await c.var.db.client.value("SELECT n FROM t")}`;
        const waiting = jsx(Suspense, { fallback: "wait" }, jsx(Seen as never, {}));
        return c.body(renderToReadableStream(waiting as never));
      });
      assert.match(await (await app.request("/")).text(), /wait[^]*seen 1/);
    }));

  it("sees what was committed, in front of and behind Hono's own middleware", () =>
    PLACES[0]!.run(async ({ db, sql, value }) => {
      await sql("CREATE TABLE t(n INTEGER)");
      await sql("INSERT INTO t VALUES(0)");
      const app = new Hono<AppEnv>();
      const own = rqlite(db, { transaction: true });
      MIDDLEWARE.flatMap((other) => [[own, other], [other, own]]).forEach((order, i) => {
        const part = new Hono<AppEnv>().use(...order);
        part.get("/", async (c) => {
          await add(c);
          await commit(c.var.db);
          return BODIES["stream()"]!(
            newest!,
            c,
            async () => `${await db.value("SELECT n FROM t")}`,
          );
        });
        app.route(`/${i}`, part);
      });
      const server = await serveHere(app.fetch);
      try {
        for (let i = 0; i < 2 * MIDDLEWARE.length; i++) {
          const answer = await fetch(`${server.url}/${i}`);
          assert.deepEqual([answer.status, await answer.text()], [200, `${i + 1}`]);
        }
      } finally {
        await server.close();
      }
      assert.equal(await value("SELECT n FROM t"), 2 * MIDDLEWARE.length);
    }));
});

const FORMS = ["stream()", "streamSSE()", "pipe()"];

/** An app of which each request writes a row, commits, and lets its body find and count it. */
function counting(db: Client, own: boolean): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  app.onError(onRqliteError);
  app.use(own ? rqlite(db) : rqlite(db, { transaction: true }));
  app.post("/:id", async (c) => {
    const id = Number(c.req.param("id"));
    const write = async (on: Pick<RequestDatabase, "query" | "execute">) => {
      // What the body of another request writes, unless they are under way at once.
      if (c.req.query("reads") !== undefined) await on.query("SELECT max(id) FROM counted");
      await on.execute("INSERT INTO kept VALUES(?)", [id]);
    };
    if (own) await c.var.db.transaction(write);
    else await write(c.var.db).then(() => commit(c.var.db));
    return BODIES[FORMS[id % FORMS.length]!]!(newest!, c, async () => {
      const on = own ? c.var.db : c.var.db.client;
      const found = await on.value("SELECT count(*) FROM kept WHERE id = ?", [id]);
      await on.execute("INSERT INTO counted VALUES(?)", [id]);
      return `found ${found}`;
    });
  });
  return app;
}

for (const place of PLACES) {
  describe(`streamed bodies on ${place.name}`, { skip: place.skip }, () => {
    for (const own of [true, false]) {
      const count = own || place === PLACES[0] ? 20 : 100;
      const whose = own ? "a transaction of the handler" : "the transaction of the request";
      it(`find what ${whose} committed, requests one by one and at once`, async () => {
        await place.run(async ({ other: db, sql, value }) => {
          await sql("CREATE TABLE kept(id INTEGER PRIMARY KEY)");
          await sql("CREATE TABLE counted(id INTEGER PRIMARY KEY)");
          const app = counting(db, own);
          const server = await serveHere(app.fetch);
          const post = async (id: number, query: string) => {
            const path = `/${id}${query}`;
            const init = { method: "POST" };
            // In process the body begins at once, over a socket the answer has to travel.
            const answer =
              await (id % 2 === 0 ? app.request(path, init) : fetch(server.url + path, init));
            const text = /found \d+/.exec(await answer.text())?.[0];
            return `${answer.status} ${text}`;
          };
          try {
            const answers: string[] = [];
            for (let id = 0; id < count; id++) answers.push(await post(id, "?reads"));
            const ids = Array.from({ length: count }, (_, i) => count + i);
            answers.push(...await Promise.all(ids.map((id) => post(id, ""))));
            assert.deepEqual(answers.filter((answer) => answer !== "200 found 1"), []);
          } finally {
            await server.close();
          }
          const both = await value("SELECT count(*) FROM kept NATURAL JOIN counted");
          assert.equal(both, 2 * count);
        });
      });
    }
  });
}
