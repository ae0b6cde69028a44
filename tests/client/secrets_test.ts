// Every misuse that another test knows, and the faults of nodes, with a marked secret: it is in nothing that is printed.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import { type Client, connect, type ConnectOptions, type RequestEvent } from "../../mod.ts";
import { connect as connectDbapi } from "../../src/dbapi/mod.ts";
import { drizzle } from "../../packages/drizzle/mod.ts";
import { embedded, type EmbeddedEngine } from "../../src/embedded/mod.ts";
import { rqlite } from "../../src/hono/mod.ts";
import { RedisLock, type RedisLockOptions } from "../../src/locks/redis.ts";
import { RqliteDialect } from "../../packages/kysely/mod.ts";
import { OWN_ENGINE } from "../support/engines.ts";
import { honoContext } from "../support/hono_context.ts";
import { scriptedFetch, type Step } from "../support/scripted_fetch.ts";
import { type WayIn, WAYS } from "../support/ways_in.ts";
import { BAD_TARGETS, brokenUrls } from "./bad_targets.ts";
import { MISTAKES, type Untyped } from "./mistakes.ts";

const SECRET = "hunter2";
const MARKED = new RegExp(`${SECRET}|${btoa(`user:${SECRET}`)}`);
const HEADERS = { "x-token": `Bearer ${SECRET}`, cookie: `session=${SECRET}` };
const URL_OF = `http://user:${SECRET}@a:4001`;

/** Everything that a program or an engine may print of a value. */
function printed(value: unknown): string {
  const seen = new Set<unknown>();
  const texts: string[] = [inspect(value, { depth: 20, showHidden: true }), inspect(value)];
  const { Deno } = globalThis as { Deno?: { inspect(value: unknown, options: object): string } };
  if (Deno !== undefined) texts.push(Deno.inspect(value, { depth: 20, showHidden: true }));
  const walk = (one: unknown): void => {
    if (typeof one !== "object" || one === null) return void texts.push(String(one));
    if (seen.has(one)) return;
    seen.add(one);
    texts.push(
      String(one),
      JSON.stringify(one, (_, v) => typeof v === "bigint" ? `${v}` : v) ?? "",
    );
    for (const key of Reflect.ownKeys(one)) walk(Reflect.get(one, key));
  };
  walk(value);
  return texts.join("\n");
}

/** Fails where the secret shows. */
function assertHidden(what: string, ...values: unknown[]): void {
  for (const value of values) {
    const text = printed(value);
    const at = text.search(MARKED);
    assert.ok(at < 0, `${what}: …${text.slice(Math.max(0, at - 200), at + 50)}…`);
  }
}

/** What a call throws or rejects with. */
async function failureOf(call: () => unknown): Promise<unknown> {
  try {
    await call();
  } catch (error) {
    return error;
  }
}

/** URLs that are wrong in other ways than those of the other tests. */
const MALFORMED = [
  `http//user:${SECRET}@host`,
  `http:/user:${SECRET}@ho st`,
  `http:user:${SECRET}@ho st`,
  `http:\\\\user:${SECRET}@ho st`,
  `http://user:${SECRET}@ho st`,
  `http://user:${SECRET}`,
  `http://user:${SECRET}/`,
  `http://user:${SECRET}?level=weak`,
  `http://user:${SECRET}%40host`,
  `http://user:${SECRET}＠host`,
  `http://user:${SECRET} host`,
  `http://us er:${SECRET}`,
  `http://user:a@b@${SECRET}@ho st`,
  `http://user:%zz${SECRET}@host`,
  `http://user:%E0%A4%A${SECRET}@host`,
  `http://us\ner:${SECRET}\t@ho st`,
  `http://\nuser:${SECRET}\n@host:x`,
  `http://[user:${SECRET}@::1`,
  `http://user:${SECRET}@[::1`,
  `http://user:${SECRET}@host:4001#x`,
  `  http://user:${SECRET}@host:99999  `,
  `redis://:${SECRET}@host`,
  `user:${SECRET}`,
  `user:${SECRET}/x`,
  `user ${SECRET}`,
  `mailto:${SECRET}@host`,
  `libsql://host?authToken=${SECRET}`,
  `host:4001?a=b&password=${SECRET}`,
  `Bearer ${SECRET}`,
];

/** Texts, and what holds one, that someone may give in place of anything. */
const MISPLACED: readonly unknown[] = [
  URL_OF,
  `Authorization: Bearer ${SECRET}`,
  `user:${SECRET}`,
  [`Bearer ${SECRET}`],
  [["authorization", SECRET]],
  new Map([["authorization", SECRET]]),
  new Headers({ authorization: SECRET }),
  new URL(URL_OF),
  new Error(SECRET),
  Symbol(SECRET),
  Promise.resolve(URL_OF),
  { password: SECRET, nested: { token: SECRET } },
  { [`Authorization: Bearer ${SECRET}`]: "" },
  Object.assign(() => SECRET, { secret: SECRET }),
];

/** Everything that takes a URL, or may be given one. */
const OPENERS: Readonly<Record<string, (url: never) => unknown>> = {
  "connect()": (url) => connect(url),
  "connect() of a list": (url) => connect(["http://a:4001", url]),
  "connect({ url })": (url) => connect({ url }),
  "dbapi connect()": (url) => connectDbapi(url),
  "drizzle()": (url) => drizzle(url),
  "drizzle({ connection })": (url) => drizzle({ connection: url }),
  "RqliteDialect": (url) => new RqliteDialect({ url }).createDriver().init(),
  // Any other text may be the name of a file, which an error has to show.
  "embedded()": (url) => /^[a-z]+:\/\//.test(url) && embedded(url).close(),
  "embedded() of a file: URI": (url) =>
    /^http:\/\/.*@h/.test(url) && embedded(String(url).replace("http:", "file:") as never),
  "rqlite() of Hono": (url) => rqlite(url),
  "rqlite() of a function": (url) => rqlite(() => url)(honoContext(), () => Promise.resolve()),
};

/** Options of `connect` for which a word is a word, and no secret. */
const WORDS = ["level", "integers", "rows", "timeout", "freshness", "retries", "maxResponseSize"];

const OPTIONS = [
  ...["headers", "credentials", "fetch", "mapNode", "onRequest", "close", "signal", "url"],
  ...[
    "interceptors",
    "transaction",
    "discover",
    "exactlyOnce",
    "returningRewrite",
    "freshnessStrict",
    ...WORDS,
  ],
];

describe("a secret is in no error of", () => {
  for (const [name, open] of Object.entries(OPENERS)) {
    it(`${name}, however broken the URL is`, async () => {
      for (const url of [...MALFORMED, ...brokenUrls(SECRET), ...MISPLACED]) {
        assertHidden(String(url), await failureOf(() => open(url as never)));
      }
    });
  }

  it("connect(), whatever stands in place of an option or beside it", async () => {
    for (const name of OPTIONS) {
      for (const value of MISPLACED) {
        const own = { [name]: value, password: SECRET } as ConnectOptions;
        assertHidden(name, await failureOf(() => connect("http://a:4001", own)));
      }
      if (WORDS.includes(name) || name === "url") continue;
      const own = { [name]: SECRET } as ConnectOptions;
      assertHidden(name, await failureOf(() => connect("http://a:4001", own)));
    }
    for (const [what, target] of BAD_TARGETS) {
      const own = { username: "user", password: SECRET, headers: HEADERS };
      assertHidden(what, await failureOf(() => connect(target as string, own)));
    }
  });

  it("connect(), whatever is wrong with a header", async () => {
    const headers: readonly object[] = [
      ...["\n", "\r\nx: ", "\0", "\u{1f511}", "\ud800"].map((odd) => ({ a: `a${odd}${SECRET}` })),
      { [`Bearer ${SECRET}`]: "" },
      { [`x\n${SECRET}`]: "a" },
      { [`x:${SECRET}`]: "a" },
      { "content-length": SECRET },
      { connection: SECRET },
      { authorization: [SECRET] },
      { authorization: { token: SECRET } },
      { authorization: Symbol(SECRET) },
    ];
    for (const one of headers) {
      const error = await failureOf(() => connect("http://a:4001", { headers: one as never }));
      assert.ok(error instanceof TypeError, inspect(one));
      assertHidden(inspect(one), error);
    }
  });

  for (const [name, [given, right, call]] of Object.entries(WAYS)) {
    it(`${name}, whatever it is given`, async () => {
      const misplaced = MISPLACED.flatMap((value) => [value, { ...given, [right]: value }]);
      for (const value of [...misplaced, { ...given, headers: HEADERS }]) {
        // Functions and lists of one's own are allowed in some places.
        assertHidden(inspect(value), await failureOf(() => (call as WayIn)(value as never)));
      }
    });
  }
});

describe("a secret of a client is in nothing that", () => {
  let engine: EmbeddedEngine;
  let db: Client;
  const events: RequestEvent[] = [];

  before(async () => {
    engine = embedded();
    const onRequest = (event: RequestEvent) => void events.push(event);
    db = connect(URL_OF, { fetch: engine.fetch, headers: HEADERS, onRequest });
    await db.execute("CREATE TABLE t(a UNIQUE)");
  });
  after(() => engine.close());

  it("a mistake makes a call, a transaction or a connection say", async () => {
    const connection = connectDbapi(URL_OF, { fetch: engine.fetch, headers: HEADERS });
    const tx = await db.begin();
    const bound = connection.execute.bind(connection);
    const users = [db, tx, { query: bound, execute: bound, batch: db.batch.bind(db) }];
    for (const [what, make] of MISTAKES) {
      for (const user of users) {
        const error = await failureOf(() => make(user as unknown as Untyped));
        assertHidden(what, error);
      }
    }
    assertHidden("what is left", db, tx, connection, events, connection.cursor());
    await tx.rollback();
    await connection.close();
  });

  const echo = JSON.stringify({ headers: { ...HEADERS, url: URL_OF } });
  const refused = Object.assign(new Error(`connect ECONNREFUSED ${URL_OF}`), {
    code: "ECONNREFUSED",
    input: URL_OF,
  });
  /** What a node, a proxy or a `fetch` of the caller's own may come up with. */
  const FAULTS: Readonly<Record<string, Step>> = {
    ...Object.fromEntries(
      [200, 400, 401, 403, 404, 407, 418, 429, 500, 502, 503].map((status) => [
        `an echo with status ${status}`,
        { status, body: echo },
      ]),
    ),
    "an error that repeats a header": { body: { results: [], error: `no ${SECRET}` } },
    "a redirect with a user": {
      status: 301,
      headers: { location: `http://user:${SECRET}@b:4001/db/query` },
    },
    "a redirect that is no URL": {
      status: 301,
      headers: { location: `http://user:${SECRET}@ho st/db/query` },
    },
    "a fetch that fails with a URL": { reject: new TypeError("fetch failed", { cause: refused }) },
    "a fetch that fails with several": {
      reject: new TypeError("fetch failed", { cause: new AggregateError([refused, refused]) }),
    },
    "a fetch that throws text": { reject: `Cannot use ${URL_OF}` },
    "a fetch that throws a DOMException": {
      reject: new TypeError("fetch failed", { cause: new DOMException(`no ${URL_OF}`) }),
    },
    "a fetch that throws what is no Error": { reject: { message: `no ${URL_OF}` } },
    "a fetch that fails with a URL object": {
      reject: Object.assign(new TypeError("fetch failed"), { input: new URL(URL_OF) }),
    },
    "a body that breaks with a URL": { body: "{", breaksWith: refused },
  };
  for (const [what, step] of Object.entries(FAULTS)) {
    it(`is said of ${what}`, async () => {
      const heard: RequestEvent[] = [];
      const fetch = scriptedFetch((call) => {
        const moved = call.url.includes("b:4001");
        return moved ? { status: 500, body: "" } : step;
      });
      const one = connect(URL_OF, {
        fetch: fetch as typeof globalThis.fetch,
        headers: HEADERS,
        retries: 0,
        timeout: 5_000,
        onRequest: (event) => heard.push(event),
      });
      const plain = { exactlyOnce: false } as const;
      const calls: (() => Promise<unknown>)[] = [
        () => one.query("SELECT 1"),
        () => one.execute("DELETE FROM t"),
        () => one.execute("DELETE FROM t", [], plain),
        () => one.nodes(),
        () => one.status(),
        () => one.ready(),
      ];
      for (const call of calls) assertHidden(what, await failureOf(call));
      assert.ok(heard.length > 0);
      assertHidden(what, heard, one);
      await one.close();
    });
  }

  /** What somebody makes of a header that he repeats. */
  const ECHOES: readonly ((value: string) => string)[] = [
    (value) => JSON.stringify({ header: value }),
    (value) => value.replaceAll('"', "&quot;"),
    (value) => encodeURIComponent(value),
    (value) => `Cannot take ${/\w*hunter2/.exec(value)![0]} for one`,
  ];
  const VALUES = [
    "Bearer a\\hunter2",
    'Token token="hunter2"',
    "a=b; session=hunter2",
    "ü/hunter2",
  ];
  it("is said of an echo, in whatever form it repeats a header", async () => {
    for (const value of VALUES) {
      for (const echo of ECHOES) {
        const fetch = scriptedFetch(() => ({ status: 400, body: echo(value) }));
        const own = { fetch: fetch as typeof globalThis.fetch, headers: { "x-token": value } };
        const error = await failureOf(() => connect("http://a:4001", own).query("SELECT 1"));
        assert.match(String(error), /repeats a header/);
        assertHidden(value, error);
      }
    }
  });

  const unreadable: Readonly<Record<string, unknown>> = {
    "has no prototype": Object.create(null),
    "has a message without one": { message: Object.create(null) },
    "throws where it is read": Object.defineProperty(new Error("lost"), "url", {
      get() {
        throw new Error(SECRET);
      },
    }),
  };
  for (const [what, thrown] of Object.entries(unreadable)) {
    it(`is said of what ${what} and ends a request, by an error of this package`, async () => {
      const fetch = () => Promise.reject(thrown);
      const one = connect("http://a:4001", { fetch, retries: 0 });
      const read = await failureOf(() => one.query("SELECT 1"));
      const write = await failureOf(() => one.execute("DELETE FROM t", [], { exactlyOnce: false }));
      assert.deepEqual([read, write].map((error) => (error as Error).name), [
        "ConnectionError",
        "OutcomeUnknownError",
      ]);
      const lock = new RedisLock({ name: "a", command: (_) => Promise.reject(thrown) });
      const late = await failureOf(() => lock.acquire({ timeout: 1 }));
      assert.equal((late as Error).name, "LockTimeoutError");
      for (const error of [read, write, late]) assertHidden(what, (error as Error).message);
    });
  }

  it("is said of a token that a proxy refuses, though its kind is", async () => {
    const fetch = scriptedFetch(() => ({ status: 403, body: "Invalid Bearer token" }));
    const own = { fetch: fetch as typeof globalThis.fetch, headers: HEADERS, retries: 0 };
    const error = await failureOf(() => connect("http://a:4001", own).query("SELECT 1"));
    assert.match(String(error), /Invalid Bearer token/);
  });

  const unparsed = Object.assign(new TypeError("Invalid URL"), { input: URL_OF });
  const MAPPED: Readonly<Record<string, (url: string) => unknown>> = {
    "answers a URL with a user": () => URL_OF,
    "answers what is no URL": () => `user:${SECRET}@host`,
    "answers an object": () => ({ url: URL_OF }),
    "answers a promise": () => Promise.resolve(URL_OF),
    "throws what an engine throws": () => {
      throw unparsed;
    },
  };
  for (const [what, mapNode] of Object.entries(MAPPED)) {
    it(`is said of a mapNode that ${what}`, async () => {
      const heard: RequestEvent[] = [];
      const location = "http://b:4001/db/query";
      const fetch = scriptedFetch(() => ({ status: 301, headers: { location } }));
      const one = connect("http://a:4001", {
        fetch: fetch as typeof globalThis.fetch,
        mapNode: mapNode as (url: string) => string,
        onRequest: (event) => heard.push(event),
      });
      const error = await failureOf(() => one.query("SELECT 1"));
      assert.ok(error instanceof Error);
      assertHidden(what, error, heard);
    });
  }

  const redis = `redis://:${SECRET}@ho st`;
  const COMMANDS: Readonly<Record<string, RedisLockOptions["command"]>> = {
    "is made of a URL that is none": () => Promise.reject(new TypeError(`Invalid URL: ${redis}`)),
    "throws what an engine throws": (_) => Promise.reject(unparsed),
    "quotes its URL": (_) => Promise.reject(new Error(`ERR no such host: ${redis}`)),
    "loses its connection": (_) => Promise.reject(new Error(`ECONNRESET ${redis}`)),
    "answers its URL": (_) => Promise.resolve({ redis }),
  };
  for (const [what, command] of Object.entries(COMMANDS)) {
    it(`is said of a command of Redis that ${what}`, async () => {
      const lock = new RedisLock({ name: "a", command });
      const error = await failureOf(() => lock.acquire({ timeout: 1 }));
      assert.match((error as Error).name, /^Lock(?:Unavailable|Timeout)Error$/);
      assertHidden(what, error, lock);
    });
  }

  const PROVIDED: Readonly<Record<string, () => unknown>> = {
    "answers text": () => Promise.resolve(`user:${SECRET}`),
    "answers a half": () => Promise.resolve({ username: "user", password: [SECRET] }),
    "answers nothing": () => Promise.resolve(),
    "throws what an engine throws": () => Promise.reject(unparsed),
  };
  for (const [what, credentials] of Object.entries(PROVIDED)) {
    it(`is said of credentials() that ${what}`, async () => {
      const fetch = scriptedFetch([]);
      const own = { fetch: fetch as typeof globalThis.fetch, credentials } as ConnectOptions;
      const error = await failureOf(() => connect("http://a:4001", own).query("SELECT 1"));
      assert.equal((error as Error).name, "AuthenticationError");
      assert.equal(fetch.calls.length, 0);
      assertHidden(what, error);
    });
  }

  it(`${OWN_ENGINE.name} prints of an error that nobody caught, or of console.log`, () => {
    const child = fileURLToPath(new URL("secrets_child.ts", import.meta.url));
    for (const what of ["uncaught", "console"]) {
      const { command, args } = OWN_ENGINE;
      const { stdout, stderr } = spawnSync(command, [...args, child, what], {
        encoding: "utf8",
        env: { ...process.env, SECRET },
      });
      const text = stdout + stderr;
      assert.match(text, /Error: Cannot/, text);
      assert.ok(what === "uncaught" || text.includes("Client {"), text);
      assert.doesNotMatch(text, MARKED);
    }
  });
});
