// What connect() makes of URLs and options, what of it reaches the wire, and that the password never shows.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type Client,
  connect,
  type ConnectOptions,
  type RequestEvent,
  type RqliteError,
} from "../../mod.ts";
import {
  type Call,
  type ScriptedFetch,
  scriptedFetch,
  type Step,
} from "../support/scripted_fetch.ts";
import { BAD_TARGETS, brokenUrls } from "./bad_targets.ts";

type Target = Parameters<typeof connect>[0];

const ROW: Step = { body: { results: [{ columns: ["1"], types: ["integer"], values: [[1]] }] } };
const HEADERS = { "x-rqlite-version": "v10.0.0" };

/** A client, and what it asks `fetch` for. */
function scripted(
  target: Target,
  options: ConnectOptions = {},
  step: Step = { ...ROW, headers: HEADERS },
): { db: Client; fetch: ScriptedFetch } {
  const fetch = scriptedFetch(() => step);
  const db = connect(target, { ...options, fetch: fetch as typeof globalThis.fetch });
  return { db, fetch };
}

/** The first request of a query. */
async function asked(target: Target, options: ConnectOptions = {}): Promise<Call> {
  const { db, fetch } = scripted(target, options);
  await db.query("SELECT 1");
  return fetch.calls[0]!;
}

function flagsOf({ url }: Call): URLSearchParams {
  return new URL(url).searchParams;
}

function nodeOf({ url }: Call): string {
  return url.slice(0, url.indexOf("/db/query"));
}

const basic = (text: string): string => {
  const bytes = new TextEncoder().encode(text);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
};

describe("connect() asks the node that", () => {
  const cases: readonly [target: Target, node: string][] = [
    [undefined, "http://localhost:4001"],
    ["http://localhost:4001", "http://localhost:4001"],
    ["http://localhost:4001/", "http://localhost:4001"],
    ["https://db.example.com", "https://db.example.com"],
    ["HTTP://LOCALHOST:80", "http://localhost"],
    ["http://[::1]:4001", "http://[::1]:4001"],
    ["http://10.0.0.1:4001?level=weak", "http://10.0.0.1:4001"],
    ["https://proxy.example.com/rqlite/", "https://proxy.example.com/rqlite"],
    ["https://u:p@proxy.example.com/a/b?level=none", "https://proxy.example.com/a/b"],
    [["http://a:4001", "http://b:4001"], "http://a:4001"],
    [{ url: "http://c:4001" }, "http://c:4001"],
    [{ url: ["http://d:4001", "http://e:4001"] }, "http://d:4001"],
    [{}, "http://localhost:4001"],
    [new URL("http://u:p@h:4001/?level=none"), "http://h:4001"],
    [[new URL("http://i:4001"), "http://j:4001"], "http://i:4001"],
    [{ url: new URL("http://k:4001") }, "http://k:4001"],
    [{ url: [new URL("http://l:4001")] }, "http://l:4001"],
  ];
  for (const [target, node] of cases) {
    it(`${JSON.stringify(target)} names`, async () => {
      assert.equal(nodeOf(await asked(target)), node);
    });
  }

  it("the option `url` names, where there is no first argument", async () => {
    assert.equal(nodeOf(await asked(undefined, { url: "http://f:4001" })), "http://f:4001");
    assert.equal(nodeOf(await asked({}, { url: "http://f:4001" })), "http://f:4001");
  });
});

describe("connect() sends nothing", () => {
  it("by itself", () => {
    const { fetch } = scripted("http://u:p@localhost:4001", { discover: true });
    assert.equal(fetch.calls.length, 0);
  });
});

describe("connect() refuses", () => {
  for (const [what, target, name, message] of BAD_TARGETS) {
    it(what, () => {
      assert.throws(() => connect(target as Target), { name, message });
    });
  }

  it("two URLs, where one of them would not be asked", () => {
    assert.throws(() => connect("http://g:4001", { url: "http://f:4001" }), {
      name: "TypeError",
      message: "Cannot use `url` beside a URL as the first argument: give one of them",
    });
  });

  it("a second argument that is none", () => {
    for (const options of [null, 5, "http://a:4001", []]) {
      assert.throws(() => connect("http://a:4001", options as never), /second argument/);
    }
  });

  const credentials = () => Promise.resolve({ username: "u", password: "p" });
  for (
    const [target, options] of [
      ["http://localhost:4001", { username: "u" }],
      ["http://localhost:4001", { password: "p" }],
      ["http://u:p@localhost:4001", {}],
    ] as const
  ) {
    it(`credentials() beside a user: ${target} ${Object.keys(options)}`, () => {
      assert.throws(() => connect(target, { ...options, credentials }), {
        name: "TypeError",
        message: "Cannot use `credentials` together with a username or a password",
      });
    });
  }
});

describe("the user and the password", () => {
  const cases: readonly [target: string, options: ConnectOptions, header: string | null][] = [
    ["http://a:4001", {}, null],
    ["http://u:p@a:4001", {}, basic("u:p")],
    ["http://u@a:4001", {}, basic("u:")],
    ["http://:p@a:4001", {}, basic(":p")],
    ["http://u%40x:p%3A%2F%3F%23%25@a:4001", {}, basic("u@x:p:/?#%")],
    ["http://%C3%BC:%F0%9F%A6%86@a:4001", {}, basic("ü:🦆")],
    ["http://a:4001", { username: "u", password: "p" }, basic("u:p")],
    ["http://u:p@a:4001", { password: "q" }, basic("u:q")],
    ["http://u:p@a:4001", { username: "v" }, basic("v:p")],
    [
      "http://u:p@a:4001",
      { username: undefined, password: undefined } as unknown as ConnectOptions,
      basic("u:p"),
    ],
    [
      "http://a:4001",
      { credentials: () => Promise.resolve({ username: "c", password: "d" }) },
      basic("c:d"),
    ],
  ];
  for (const [i, [target, options, header]] of cases.entries()) {
    it(`of ${target} are sent as a header, and in no URL (${i})`, async () => {
      const call = await asked(target, options);
      assert.equal(call.headers.get("authorization"), header);
      assert.equal(new URL(call.url).username + new URL(call.url).password, "");
    });
  }

  it("of several URLs are given once for all", async () => {
    const { db, fetch } = scripted(["http://u:p@a:4001", "http://u:p@b:4001"], { retries: 1 }, {
      status: 503,
      body: "leader not found",
    });
    await assert.rejects(db.query("SELECT 1", [], { level: "none" }));
    assert.deepEqual(fetch.calls.map(({ headers }) => headers.get("authorization")), [
      basic("u:p"),
      basic("u:p"),
    ]);
  });
});

describe("an option reaches the wire", () => {
  it("from the URL", async () => {
    const call = await asked(
      "http://a:4001?level=none&freshness=1500&freshnessStrict&timeout=5000&retries=0&rows=array",
    );
    const flags = flagsOf(call);
    assert.equal(flags.get("level"), "none");
    assert.equal(flags.get("freshness"), "1500ms");
    assert.ok(flags.has("freshness_strict"));
    for (const name of ["timeout", "retries", "rows", "freshnessStrict"]) {
      assert.equal(flags.has(name), false);
    }
  });

  it("call over option over URL over default", async () => {
    const url = "http://a:4001?level=weak";
    assert.equal(flagsOf(await asked("http://a:4001")).get("level"), "linearizable");
    assert.equal(flagsOf(await asked(url)).get("level"), "weak");
    assert.equal(flagsOf(await asked(url, { level: "strong" })).get("level"), "strong");
    const { db, fetch } = scripted(url, { level: "strong" });
    await db.query("SELECT 1", [], { level: "none" });
    assert.equal(flagsOf(fetch.calls[0]!).get("level"), "none");
  });

  it("and not where it is undefined", async () => {
    const undefinedOnes = { level: undefined, timeout: undefined } as unknown as ConnectOptions;
    assert.equal(
      flagsOf(await asked("http://a:4001?level=weak", undefinedOnes)).get("level"),
      "weak",
    );
    const { db, fetch } = scripted("http://a:4001?level=weak");
    await db.query("SELECT 1", [], undefinedOnes);
    assert.equal(flagsOf(fetch.calls[0]!).get("level"), "weak");
  });

  it("from what options inherit, and from the getters of a class", async () => {
    class Config {
      level = "none";
      get freshness(): number {
        return 1500;
      }
    }
    class Derived extends Config {}
    const flags = flagsOf(await asked(new Derived() as ConnectOptions));
    assert.deepEqual([flags.get("level"), flags.get("freshness")], ["none", "1500ms"]);
    const inherited: ConnectOptions = Object.create({ level: "strong" });
    assert.equal(flagsOf(await asked(inherited)).get("level"), "strong");
    const bare: ConnectOptions = Object.assign(Object.create(null), { level: "weak" });
    assert.equal(flagsOf(await asked(bare)).get("level"), "weak");
    assert.throws(() => connect(Object.create({ lvel: "weak" })), /`lvel`/);
  });

  it("second argument over first", async () => {
    const call = await asked({ url: "http://a:4001", level: "weak" }, { level: "none" });
    assert.equal(flagsOf(call).get("level"), "none");
  });

  it("rows and integers", async () => {
    const { db } = scripted("http://a:4001?rows=array&integers=bigint");
    assert.deepEqual((await db.query("SELECT 1")).rows as unknown, [[1n]]);
    const other = await db.query("SELECT 1", [], { rows: "object", integers: "string" });
    assert.deepEqual(other.rows, [{ 1: "1" }]);
  });

  it("headers", async () => {
    const { headers } = await asked("http://u:p@a:4001", {
      headers: { "X-Trace": "7", accept: "a/b" },
    });
    assert.deepEqual([headers.get("x-trace"), headers.get("accept")], ["7", "a/b"]);
    assert.equal(headers.get("content-type"), "application/json");
    assert.equal(headers.get("authorization"), basic("u:p"));
  });

  it("headers never damage those that the protocol needs", async () => {
    const headers = { "Content-Type": "text/plain", Authorization: "Bearer x" };
    const call = await asked("http://u:p@a:4001", { headers });
    assert.equal(call.headers.get("content-type"), "application/json");
    assert.equal(call.headers.get("authorization"), basic("u:p"));
    assert.equal(
      (await asked("http://a:4001", { headers })).headers.get("authorization"),
      "Bearer x",
    );
  });

  it("retries", async () => {
    for (const retries of [0, 1, 2]) {
      const { db, fetch } = scripted(["http://a:4001", "http://b:4001"], { retries }, {
        status: 502,
        body: "",
      });
      await assert.rejects(db.query("SELECT 1"), { name: "OperationalError" });
      assert.equal(fetch.calls.length, retries + 1);
    }
  });

  it("retries of the URL", async () => {
    const { db, fetch } = scripted("http://a:4001?retries=0", {}, { status: 502, body: "" });
    await assert.rejects(db.query("SELECT 1"));
    assert.equal(fetch.calls.length, 1);
  });

  it("timeout", async () => {
    const { db } = scripted("http://a:4001?timeout=30&retries=0", {}, { hang: true });
    await assert.rejects(db.query("SELECT 1"), { name: "TimeoutError" });
  });

  it("signal", async () => {
    const reason = new Error("over");
    const { db } = scripted("http://a:4001", { signal: AbortSignal.abort(reason) });
    await assert.rejects(db.query("SELECT 1"), (error) => error === reason);
  });

  it("discover and mapNode", async () => {
    const nodes = {
      nodes: [{ api_addr: "http://10.0.0.9:4001", voter: true, reachable: true, id: "2" }],
    };
    const seen: string[] = [];
    const fetch = scriptedFetch(({ url }) => {
      seen.push(url);
      if (url.includes("/nodes")) return { body: nodes };
      return url.startsWith("http://a") ? { status: 502, body: "" } : { ...ROW, headers: HEADERS };
    });
    const db = connect("http://a:4001?discover", {
      retries: 100,
      fetch: fetch as typeof globalThis.fetch,
      mapNode: (url) => url.replace("10.0.0.9", "mapped"),
    });
    assert.equal((await db.query("SELECT 1", [], { level: "none" })).rows.length, 1);
    assert.ok(seen[1]!.startsWith("http://a:4001/nodes?"));
    assert.ok(seen.at(-1)!.startsWith("http://mapped:4001/db/query?"));
  });

  it("onRequest gets endpoint, node, statements, attempt, status and duration", async () => {
    const events: RequestEvent[] = [];
    const onRequest = (event: RequestEvent): void => {
      events.push(event);
      throw new Error("An observer's mistake");
    };
    const { db } = scripted("http://u:p@a:4001", { onRequest });
    await db.query("SELECT 1");
    const [{ duration, ...event }] = events as [RequestEvent];
    assert.deepEqual(event, {
      endpoint: "/db/query",
      node: "http://a:4001",
      statements: 1,
      attempt: 0,
      status: 200,
    });
    assert.equal(typeof duration, "number");
  });

  it("the options may change afterwards without effect", async () => {
    const headers: Record<string, string> = { "x-a": "1" };
    const options: ConnectOptions = { level: "weak", headers };
    const { db, fetch } = scripted("http://a:4001", options);
    options.level = "strong";
    headers["x-a"] = "2";
    await db.query("SELECT 1");
    assert.equal(flagsOf(fetch.calls[0]!).get("level"), "weak");
    assert.equal(fetch.calls[0]!.headers.get("x-a"), "1");
  });
});

const SECRET = "s3cr3t";

/** Everything that an error could show. */
function everything(error: unknown): string {
  const seen = new Set<unknown>();
  const show = (value: unknown): string => {
    if (typeof value !== "object" || value === null || seen.has(value)) return String(value);
    seen.add(value);
    const own = Object.getOwnPropertyNames(value).map((key) =>
      show((value as Record<string, unknown>)[key])
    );
    return [String(value), ...own].join("\n");
  };
  return show(error);
}

describe("the password never shows", () => {
  for (const url of brokenUrls(SECRET)) {
    it(`where the URL is ${url.replace(SECRET, "…")}`, () => {
      assert.throws(() => connect(url), (error) => {
        assert.ok(error instanceof TypeError || error instanceof RangeError);
        assert.doesNotMatch(everything(error), new RegExp(SECRET));
        return true;
      });
    });
  }

  it("where the URLs differ", () => {
    const urls = [`http://user:${SECRET}@a:4001`, `http://user:${SECRET}2@b:4001`];
    assert.throws(() => connect(urls), (error) => {
      assert.doesNotMatch(everything(error), new RegExp(SECRET));
      return true;
    });
  });

  const refused = new TypeError("fetch failed", {
    cause: Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" }),
  });
  const failures: Readonly<Record<string, Step>> = {
    "the connection is refused": { reject: refused },
    "the connection breaks": { reject: new TypeError("terminated") },
    "the answer is 401": { status: 401, body: "" },
    "the answer is 403": { status: 403, body: "forbidden" },
    "the answer is 404": { status: 404, body: "not found" },
    "the answer is HTML": { body: "<html>login</html>" },
    "the node cannot do it": { body: { results: [], error: "the moon is full" } },
    "the statement fails": { body: { results: [{ error: 'near "SELECT": syntax error' }] } },
    "there is no answer": { hang: true },
    "the node redirects elsewhere": {
      status: 301,
      headers: { location: "http://evil.example/login" },
    },
  };
  for (const [when, step] of Object.entries(failures)) {
    it(`in errors and events where ${when}`, async () => {
      const events: RequestEvent[] = [];
      const options = {
        timeout: 300,
        retries: 1,
        onRequest: (event: RequestEvent) => events.push(event),
      };
      const { db, fetch } = scripted(`http://user:${SECRET}@a:4001`, options, step);
      for (const call of [() => db.query("SELECT 1"), () => db.execute("DELETE FROM t")]) {
        const error = await call().then(() => undefined, (error: RqliteError) => error);
        assert.ok(error instanceof Error);
        assert.doesNotMatch(everything(error), new RegExp(`${SECRET}|${basic(`user:${SECRET}`)}`));
      }
      assert.ok(events.length >= 2);
      assert.doesNotMatch(everything(events), new RegExp(SECRET));
      assert.ok(fetch.calls.every(({ url }) => !url.includes(SECRET) && !url.includes("evil")));
      assert.doesNotMatch(everything(db) + JSON.stringify(db), new RegExp(SECRET));
    });
  }

  it("where credentials() fails", async () => {
    const { db } = scripted("http://a:4001", {
      credentials: () => Promise.reject(new Error("vault is sealed")),
    });
    await assert.rejects(db.query("SELECT 1"), {
      name: "AuthenticationError",
      message: "Cannot send the request as `credentials` failed",
    });
    await assert.rejects(db.execute("DELETE FROM t"), { name: "AuthenticationError" });
  });
});

describe("outcome()", () => {
  it("refuses what is no id, before anything is sent", async () => {
    const fetch = scriptedFetch([]);
    const client = connect({ fetch: fetch as typeof globalThis.fetch });
    // That of an error which is none of an unknown outcome, for one.
    for (const id of [undefined, null, 7, {}, ["a"]]) {
      const message = /`id` as it must be text/;
      await assert.rejects(client.outcome(id as never), { name: "TypeError", message });
    }
    await assert.rejects(client.outcome(""), { name: "RangeError", message: /1 to 200/ });
    assert.equal(fetch.calls.length, 0);
  });
});
