// Options that nobody knows or that have the wrong type are refused by name, at every way in.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { drizzle } from "../packages/drizzle/mod.ts";
import { migrate } from "../packages/drizzle/migrator.ts";
import { changeFeed, live } from "../src/cdc/mod.ts";
import { connect as connectDbapi } from "../src/dbapi/mod.ts";
import { embedded } from "../src/embedded/mod.ts";
import { rqlite } from "../src/hono/mod.ts";
import { verifyReplicas } from "../src/doctor/mod.ts";
import { inspect } from "../src/inspect/mod.ts";
import { RqliteDialect } from "../packages/kysely/mod.ts";
import { connect, sql, withRetry } from "../mod.ts";
import { honoContext } from "./support/hono_context.ts";
import { db, lock, never, type WayIn, WAYS } from "./support/ways_in.ts";

/** What a call throws or rejects with. */
async function failureOf(call: WayIn, options: unknown): Promise<unknown> {
  try {
    await call(options as never);
  } catch (error) {
    return error;
  }
}

describe("options that nobody knows", () => {
  for (const [name, [given, right, call]] of Object.entries(WAYS)) {
    const wrong = Object.keys(given).find((key) => !["name", "client", "command"].includes(key));
    it(`${name} refuses \`${wrong}\` and names \`${right}\``, async () => {
      const error = await failureOf(call, given);
      assert.ok(error instanceof TypeError, String(error));
      assert.match(error.message, new RegExp(`\`${wrong}\` .*did you mean \`${right}\``));
    });

    it(`${name} refuses what is no object`, async () => {
      for (const options of [null, 5, true, ["a"], new Map(), Promise.resolve({}), () => {}]) {
        // Those are other forms of it.
        const form = options === true || typeof options === "function";
        if (form && name === "a request's transaction") continue;
        const error = await failureOf(call, options);
        assert.ok(error instanceof TypeError, String(error));
      }
    });
  }

  it("count as not given where they are undefined, like all others", async () => {
    const given = { timout: undefined, timeout: undefined, level: undefined };
    const node = connect({ ...given, ...embedded() });
    const { rows } = await node.query("SELECT 1 AS n", [], given);
    assert.deepEqual(rows, [{ n: 1 }]);
    await node.close();
  });
});

describe("one URL object", () => {
  const asked: string[] = [];
  const fetch = globalThis.fetch;
  const url = new URL("http://db.example:4001/?retries=0");
  const ways: Readonly<Record<string, () => Promise<unknown>>> = {
    "connect()": () => connect(url).query("SELECT 1"),
    "dbapi connect()": () => connectDbapi(url).execute("SELECT 1"),
    "a list of dbapi connect()": () => connectDbapi([url]).execute("SELECT 1"),
    "the function of rqlite()": () => {
      let found: { query(sql: string): Promise<unknown> } | undefined;
      const context = honoContext((value) => found = value as typeof found);
      return rqlite(() => url)(context, async () => void await found!.query("SELECT 1"));
    },
    "RqliteDialect": async () => {
      const driver = new RqliteDialect({ url }).createDriver();
      const query = { sql: "SELECT 1", parameters: [], query: { kind: "RawNode" } };
      await (await driver.acquireConnection()).executeQuery(query as never);
    },
    "drizzle()": async () => void await drizzle(url).$client.query("SELECT 1"),
    "drizzle() of a list": async () => void await drizzle([url]).$client.query("SELECT 1"),
    "`connection` of drizzle()": async () =>
      void await drizzle({ connection: url }).$client.query("SELECT 1"),
  };
  for (const [name, ask] of Object.entries(ways)) {
    it(`says to ${name} where to ask`, async () => {
      asked.length = 0;
      globalThis.fetch = (input) => {
        asked.push(String(input));
        return Promise.reject(new TypeError("no network"));
      };
      try {
        await assert.rejects(ask());
      } finally {
        globalThis.fetch = fetch;
      }
      assert.match(asked[0]!, /^http:\/\/db\.example:4001\/db\//);
    });
  }
});

describe("wrong types of values", () => {
  const wrong: readonly [WayIn, object, RegExp][] = [
    [(o) => db.query("SELECT 1", [], o), { timeout: "5000" }, /`timeout`.*write 5000/],
    [(o) => db.query("SELECT 1", [], o), { freshness: "5s" }, /`freshness`.*milliseconds.*"5s"/],
    [(o) => db.query("SELECT 1", [], o), { freshnessStrict: 1 }, /`freshnessStrict`.*boolean/],
    [(o) => db.query("SELECT 1", [], o), { rows: "maps" }, /`rows`.*object, array.*maps/],
    [(o) => db.query("SELECT 1", [], o), { signal: new AbortController() }, /`signal`/],
    [(o) => db.execute("DELETE FROM t", [], o), { id: 7 }, /`id`.*text/],
    [(o) => db.execute("DELETE FROM t", [], o), { exactlyOnce: "no" }, /`exactlyOnce`.*boolean/],
    [(o) => db.batch([], o), { atomic: 0 }, /`atomic`.*boolean/],
    [(o) => db.iterate("SELECT 1", [], o), { pageSize: "10" }, /`pageSize`.*write 10/],
    [(o) => db.iterate("SELECT 1", [], o), { by: 5 }, /`by`.*text/],
    [(o) => db.nodes(o), { nonVoters: "yes" }, /`nonVoters`.*boolean/],
    [(o) => db.ready(o), { sync: 1 }, /`sync`.*boolean/],
    [(o) => db.begin(o), { readOnly: "true" }, /`readOnly`.*boolean/],
    [(o) => db.begin(o), { retries: 3 }, /`retries`.*transaction\(fn\)/],
    [(o) => db.begin(o), { lock: null }, /`lock`/],
    [(o) => db.nodes(o), { integers: "bigint" }, /`integers`.*no column/],
    [(o) => connectDbapi(o), { rows: "object" }, /`rows`.*arrays/],
    [
      (o) => connectDbapi(o),
      { transaction: { timeoutPer: "transaction" } },
      /`timeoutPer`.*connection/,
    ],
    [(o) => connectDbapi(o), { transaction: { turns: true } }, /`turns`.*connection/],
    [(o) => db.begin(o), { turns: 1 }, /`turns`.*boolean/],
    [(o) => connectDbapi(o), { transaction: { retries: 3 } }, /`retries`.*run\(connection/],
    [(o) => withRetry(() => never(), o), { retries: "3" }, /`retries`.*write 3/],
    [(o) => lock.acquire(o), { timeout: "5" }, /`timeout`.*write 5/],
    [(o) => lock.acquire(o), { lasting: 1 }, /`lasting`.*boolean/],
    [(o) => embedded(":memory:", o), { foreignKeys: 1 }, /`foreignKeys`.*boolean/],
    [(o) => inspect(db, o), { internal: "yes" }, /`internal`.*boolean/],
    [(o) => changeFeed(o), { timeout: "5" }, /`timeout`.*write 5/],
    [(o) => live(db, "SELECT 1", [], o), { level: "none" }, /`level`.*one of weak/],
    [(o) => verifyReplicas(db, o), { tables: "users" }, /`tables`.*list of names/],
    [(o) => verifyReplicas(db, o), { onProgress: true }, /`onProgress`.*function/],
    [(o) => migrate(drizzle(db), o), { migrationsFolder: sql`x` }, /`migrationsFolder`.*text/],
  ];
  for (const [call, options, message] of wrong) {
    it(`${Object.keys(options)} is refused: ${message.source}`, async () => {
      const error = await failureOf(call, options);
      assert.ok(error instanceof TypeError, String(error));
      assert.match(error.message, message);
    });
  }
});
