// The cookie that carries a session from request to request.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { connect } from "../../mod.ts";
import { rqlite, type RqliteMiddlewareOptions } from "../../src/hono/mod.ts";
import { LaggingCluster } from "../support/lagging_cluster.ts";
import { type AppContext, type AppEnv, COPIES, type Copy } from "./copies.ts";

type Handler = (c: AppContext) => Response | Promise<Response>;

const read: Handler = async (c) => c.json(await c.var.db.value("SELECT count(*) FROM t"));
const write: Handler = async (c) => {
  await c.var.db.execute("INSERT INTO t VALUES(1)");
  return c.text("written", 201);
};

/** A browser with one cookie jar, in front of an app whose node lags. */
class Browser {
  cookie = "";
  /** The last `Set-Cookie`, as it came. */
  told: string | undefined;
  readonly #ask: (path: string, init: RequestInit) => Response | Promise<Response>;

  constructor(ask: (path: string, init: RequestInit) => Response | Promise<Response>) {
    this.#ask = ask;
  }

  async ask(path: string, method = "GET"): Promise<Response> {
    const headers = this.cookie === "" ? {} : { cookie: `other=1; ${this.cookie}; more=2` };
    const answer = await this.#ask(path, { method, headers });
    this.told = answer.headers.getSetCookie().find((cookie) =>
      cookie.startsWith("rqlite_session=")
    );
    this.cookie = this.told?.split(";")[0] ?? this.cookie;
    return answer;
  }
}

interface World {
  readonly cluster: LaggingCluster;
  readonly browse: (options: RqliteMiddlewareOptions, routes?: Record<string, Handler>) => Browser;
}

function test(name: string, body: (world: World, hono: Copy) => Promise<void>): void {
  for (const copy of COPIES) {
    it(`${name} [hono ${copy.version}]`, async () => {
      const cluster = new LaggingCluster();
      const db = connect(cluster.urls[1], { fetch: cluster.fetch, retries: 0 });
      await db.execute("CREATE TABLE t(n)");
      await cluster.settle();
      const browse: World["browse"] = (options, routes = {}) => {
        const app = new copy.Hono<AppEnv>();
        app.onError((_, c) => c.text("failed", 500));
        app.use("*", rqlite(db, options));
        for (const [path, handler] of Object.entries({ "/": read, "/write": write, ...routes })) {
          app.all(path, handler);
        }
        return new Browser((path, init) => app.request(path, init));
      };
      try {
        await body({ cluster, browse }, copy);
      } finally {
        await db.close();
        cluster.close();
      }
    });
  }
}

const countOf = async (browser: Browser): Promise<unknown> => await (await browser.ask("/")).json();

describe("rqlite() with a session", () => {
  for (const transaction of [false, true]) {
    test(`shows a browser its own write, ${transaction ? "also in a transaction" : "and others what the node has"}`, async ({ browse, cluster }) => {
      const browser = browse({ session: true, transaction });
      assert.equal((await browser.ask("/write", "POST")).status, 201);
      assert.match(
        browser.told!,
        /^rqlite_session=[\da-z.-]{5,50}; Path=\/; HttpOnly; SameSite=Lax$/,
      );
      assert.equal(await countOf(browser), 1);
      if (!transaction) assert.equal(await countOf(browse({ session: true })), 0);
      cluster.seen.length = 0;
      await cluster.settle();
      const plain = browse({ session: true });
      plain.cookie = browser.cookie;
      assert.equal(await countOf(plain), 1);
      assert.deepEqual(cluster.seen.map(({ level }) => level), ["none"]);
    });
  }

  test("says nothing where nothing was seen, or nothing new", async ({ browse, cluster }) => {
    const browser = browse({ session: true }, { "/nothing": (c) => c.text("nothing") });
    await browser.ask("/nothing");
    assert.equal(browser.told, undefined);
    await browser.ask("/write", "POST");
    await cluster.settle();
    await countOf(browser);
    await countOf(browser);
    assert.equal(browser.told, undefined);
    assert.notEqual(browser.cookie, "");
  });

  test("begins anew where the cookie is made up, or of another database", async ({ browse }) => {
    const browser = browse({ session: true });
    await browser.ask("/write", "POST");
    const [name, good] = browser.cookie.split("=") as [string, string];
    const bad = [
      ...[
        "",
        "=",
        "%00",
        "a.b.c",
        "☃",
        "'; DROP TABLE t",
        "1".repeat(4000),
        `${"z".repeat(4000)}.1`,
      ],
      ...["2gosa7pa2gv.1", "1.1", `${good.split(".")[0]}.1`, `-${good}x`, "--u", "--r", "NaN.1"],
    ];
    for (const value of bad) {
      for (const path of ["/", "/write"]) {
        browser.cookie = `${name}=${encodeURI(value)}`;
        const { status } = await browser.ask(path, path === "/" ? "GET" : "POST");
        assert.equal(status, path === "/" ? 200 : 201, value);
      }
      assert.equal(typeof await countOf(browser), "number");
    }
  });

  test("keeps what a request has written that fails", async ({ browse }) => {
    const browser = browse({ session: true }, {
      "/fail": async (c) => {
        await write(c);
        throw new Error("no");
      },
      "/refused": async (c) => {
        await write(c);
        await c.var.db.execute("INSERT INTO nowhere VALUES(1)");
        return c.text("");
      },
    });
    for (const [i, path] of ["/fail", "/refused"].entries()) {
      assert.equal((await browser.ask(path, "POST")).status, 500);
      assert.notEqual(browser.told, undefined, path);
      assert.equal(await countOf(browser), i + 1);
    }
  });

  test("leaves answers as they are, beside cookies of their own", async ({ browse }, hono) => {
    const browser = browse({ session: true }, {
      "/redirect": async (c) => {
        await write(c);
        return Response.redirect("http://localhost/there", 303);
      },
      "/cookies": async (c) => {
        await write(c);
        c.header("Set-Cookie", "a=1", { append: true });
        return c.body(null, 204, { "set-cookie": "b=2" });
      },
      "/stream": async (c) => {
        await write(c);
        return hono.streamText(c, async (body) => {
          for (const line of ["one\n", "two\n"]) await body.write(line);
          await c.var.db.execute("INSERT INTO t VALUES(2)");
          await body.write(String(await c.var.db.value("SELECT count(*) FROM t")));
        });
      },
    });
    const redirected = await browser.ask("/redirect", "POST");
    assert.equal(redirected.status, 303);
    assert.equal(redirected.headers.get("location"), "http://localhost/there");
    assert.notEqual(browser.told, undefined);
    const { status, headers } = await browser.ask("/cookies", "POST");
    assert.equal(status, 204);
    assert.ok(headers.getSetCookie().includes("b=2"));
    assert.equal(headers.getSetCookie().filter((cookie) => cookie.startsWith("rqlite_")).length, 1);
    const streamed = await browser.ask("/stream", "POST");
    assert.notEqual(browser.told, undefined);
    assert.equal(await streamed.text(), "one\ntwo\n4", "the body goes on in the session");
  });

  test("adds one cookie to the answers of @hono/node-server", async ({ browse }) => {
    const own = Object.getOwnPropertyDescriptors(globalThis);
    const { getRequestListener } = await import("@hono/node-server");
    getRequestListener(() => new Response()); // puts its own classes in place of the engine's
    try {
      const { headers } = await browse({ session: true }).ask("/write", "POST");
      assert.equal(headers.getSetCookie().length, 1);
    } finally {
      Object.defineProperties(globalThis, { Request: own.Request, Response: own.Response });
    }
  });

  test("takes the cookie's options, and Secure from the URL", async ({ browse }) => {
    const shown = async (session: RqliteMiddlewareOptions["session"], url = "/write") => {
      const browser = browse({ session });
      const answer = await browser.ask(url, "POST");
      return answer.headers.getSetCookie().at(-1)!.replace(/=[^;]*/, "=…");
    };
    assert.equal(
      await shown(true, "https://app.example/write"),
      "rqlite_session=…; Path=/; HttpOnly; SameSite=Lax; Secure",
    );
    const all = {
      ...{ cookie: "__Secure-seen", path: "/app", domain: "app.example", maxAge: 60 },
      ...{ sameSite: "Strict", secure: true } as const,
    };
    assert.equal(
      await shown(all),
      "__Secure-seen=…; Path=/app; Domain=app.example; Max-Age=60; HttpOnly; SameSite=Strict; Secure",
    );
    assert.match(await shown({ sameSite: "None" }), /SameSite=None; Secure$/);
    assert.match(await shown({ cookie: "__Host-seen" }), /^__Host-seen=.*; Secure$/);
    assert.doesNotMatch(await shown({ secure: false }, "https://app.example/write"), /Secure/);
  });

  test(
    "is one for a request, also where a route adds a transaction",
    async ({ cluster, browse: _ }, { Hono }) => {
      const db = connect(cluster.urls[1], { fetch: cluster.fetch });
      const app = new Hono<AppEnv>();
      app.use("*", rqlite(db, { session: true }));
      app.get("/", read);
      app.post("/pay", rqlite(db, { transaction: true }), async (c) => {
        await write(c);
        assert.equal(typeof c.var.db.bookmark, "string");
        return c.text("paid");
      });
      app.post("/twice", rqlite(db, { session: { cookie: "second" } }), write);
      const browser = new Browser((path, init) => app.request(path, init));
      await browser.ask("/pay", "POST");
      assert.equal(await countOf(browser), 1);
      const answer = await browser.ask("/twice", "POST");
      assert.equal(answer.headers.getSetCookie().length, 1);
      assert.equal(await countOf(browser), 2);
      await db.close();
    },
  );

  it("refuses options that are none", () => {
    const db = connect("http://localhost:4001");
    const refused = (session: unknown, message: RegExp) =>
      assert.throws(() => rqlite(db, { session } as never), message);
    refused("yes", /`session`/);
    refused({ cookei: "a" }, /`cookei`.*`cookie`/);
    refused({ cookie: "a b" }, /`cookie`/);
    refused({ cookie: "" }, /`cookie`/);
    refused({ path: "/; Domain=evil" }, /`path`/);
    refused({ path: "notes" }, /`path` as it must be a path that begins with \//);
    refused({ domain: "a\r\nb" }, /`domain`/);
    refused({ maxAge: -1 }, /`maxAge`/);
    refused({ maxAge: "60" }, /`maxAge`/);
    refused({ sameSite: "lax" }, /`sameSite`/);
    refused({ secure: 1 }, /`secure`/);
    for (
      const needing of [{ sameSite: "None" }, { cookie: "__Host-a" }, { cookie: "__secure-a" }]
    ) refused({ ...needing, secure: false }, /with `secure: false` as no browser takes it/);
    refused({ cookie: "__Host-a", path: "/a" }, /with `path` or `domain` as no browser takes it/);
    refused({ cookie: "__Host-a", domain: "a.b" }, /with `path` or `domain` as no browser takes/);
  });
});
