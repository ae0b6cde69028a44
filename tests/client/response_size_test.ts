// An answer that is longer than the option allows: what a call says then, what became of its writes, and how much memory an
// answer without an end takes on each engine.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { connect, OutcomeUnknownError } from "../../mod.ts";
import { OWN_ENGINE } from "../support/engines.ts";
import { scriptedFetch } from "../support/scripted_fetch.ts";
import { PLACES } from "../transaction/world.ts";
import { type Endless, serveEndless } from "./endless.ts";

const MANY = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 999)";
const TOO_LARGE = {
  name: "OperationalError",
  code: "ERR_TOO_LARGE",
  retryable: false,
  message: /longer than `maxResponseSize`, 2000 bytes: ask for less .* LIMIT or iterate\(\)/,
};

for (const { name, skip, run } of PLACES) {
  describe(`maxResponseSize on ${name}`, { skip }, () => {
    it("refuses an answer that is longer, and names the ways out, which work", () =>
      run(async ({ connect, sql }) => {
        await sql("CREATE TABLE t(a INTEGER PRIMARY KEY)");
        await sql(`INSERT INTO t ${MANY} SELECT i FROM n`);
        const db = connect({ maxResponseSize: 2000 });
        await assert.rejects(db.query("SELECT a FROM t"), TOO_LARGE);
        assert.equal((await db.query("SELECT a FROM t LIMIT 9")).rows.length, 9);
        let count = 0;
        for await (const _ of db.iterate("SELECT a FROM t", [], { pageSize: 50 })) count++;
        assert.equal(count, 999);
        await assert.rejects(db.transaction((tx) => tx.query("SELECT a FROM t")), TOO_LARGE);
        assert.equal((await connect({}).query("SELECT a FROM t")).rows.length, 999);
      }));

    it("loses the rows of a write, and not what became of it", () =>
      run(async ({ connect, sql, value }) => {
        await sql("CREATE TABLE t(a INTEGER PRIMARY KEY)");
        const db = connect({ maxResponseSize: 2000 });
        await assert.rejects(db.execute(`INSERT INTO t ${MANY} SELECT i FROM n RETURNING a`), {
          name: "DataError",
          message:
            /^The write was applied, but the answer with its rows was lost: do not repeat it/,
        });
        assert.equal(await value("SELECT count(*) FROM t"), 999);
        const plain = { exactlyOnce: false } as const;
        const lost = db.execute("UPDATE t SET a = a + 1000 RETURNING a", [], plain);
        const error = await lost.then(() => assert.fail(), (error: unknown) => error);
        assert.ok(error instanceof OutcomeUnknownError, String(error));
        assert.equal((error.cause as { code?: unknown }).code, "ERR_TOO_LARGE");
        assert.equal(await value("SELECT min(a) FROM t"), 1001, "it was sent once");
      }));
  });
}

describe("maxResponseSize", () => {
  it("is an option, also of a URL, and is refused where it means nothing", () => {
    connect("http://a:4001?maxResponseSize=5000");
    for (const maxResponseSize of [0, -1, 0.5, NaN, Infinity, 2 ** 29]) {
      assert.throws(() => connect({ maxResponseSize }), { name: "RangeError" });
    }
    assert.throws(() => connect("http://a:4001?maxResponseSize=5MB"), /`maxResponseSize`.*bytes/);
  });

  it("reads an answer that is too long once, as another copy would be as long", async () => {
    const fetch = scriptedFetch(() => ({ body: { results: [{ values: ["x".repeat(2_000)] }] } }));
    const db = connect({ fetch: fetch as typeof globalThis.fetch, maxResponseSize: 1_000 });
    await assert.rejects(db.query("SELECT 1", [], { level: "weak" }), { code: "ERR_TOO_LARGE" });
    assert.equal(fetch.calls.length, 1);
  });

  it("leaves a refusal readable, however long it is", async () => {
    const body = `leader not found${" ".repeat(70_000)}`;
    const fetch = scriptedFetch(() => ({ status: 503, body })) as typeof globalThis.fetch;
    const db = connect({ fetch, retries: 0, maxResponseSize: 1 });
    await assert.rejects(db.query("SELECT 1"), { status: 503, message: /"leader not found/ });
    // What it would have gone on to say, nobody knows.
    await assert.rejects(db.execute("DELETE FROM t", [], { exactlyOnce: false }), {
      code: "ERR_OUTCOME_UNKNOWN",
    });
  });

  it("takes the answer of a fetch whose body is no stream of the platform", async () => {
    const text = '{"results":[{"columns":["1"],"types":["integer"],"values":[[1]]}]}';
    const answer = { status: 200, headers: new Headers(), text: () => Promise.resolve(text) };
    const fetch = () => Promise.resolve({ ...answer, body: {} } as unknown as Response);
    assert.equal((await connect({ fetch, level: "weak" }).query("SELECT 1")).rows.length, 1);
  });
});

/** How the calls of the child end, by the kind of answer. */
const ENDS = {
  "plain query": "ERR_TOO_LARGE",
  "plain execute": "ERR_OUTCOME_UNKNOWN < ERR_TOO_LARGE",
  "plain status": "ERR_TOO_LARGE",
  "plain nodes": "ERR_TOO_LARGE",
  "plain ready": "ERR_TOO_LARGE",
  "packed query": "ERR_TOO_LARGE",
  "refused query": "ERR_PROGRAMMING",
  "denied query": "ERR_AUTHENTICATION",
  "failed query": "ERR_OPERATIONAL",
  "moved query": "ERR_OPERATIONAL",
  "headers query": "ERR_CONNECTION",
};

describe("an answer without an end takes bounded memory", () => {
  let server: Endless;
  before(async () => void (server = await serveEndless()));
  after(() => server.close());

  /** What Bun's own `fetch` makes of one piece of a compressed answer is there at once, whatever it is asked for. */
  const MOST = { fetch: OWN_ENGINE.name === "bun" ? 2000 : 700, nodeFetch: 700 };
  const CHILD = fileURLToPath(new URL("endless_child.ts", import.meta.url));
  for (const [kind, most] of Object.entries(MOST)) {
    it(`through ${kind} of ${OWN_ENGINE.name}`, { timeout: 60_000 }, async () => {
      const { command, args } = OWN_ENGINE;
      const child = spawn(command, [...args, CHILD, kind, server.url], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      let output = "";
      child.stdout.on("data", (piece) => output += piece);
      const code = await new Promise((resolve) => child.on("close", resolve));
      assert.equal(code, 0);
      const { peak, ends } = JSON.parse(output) as { peak: number; ends: Record<string, string> };
      // Some engines go by the length, and some refuse what says two.
      const { "short query": short, ...others } = ends;
      assert.match(short!, /^ERR_(?:TOO_LARGE|CONNECTION)$/);
      assert.deepEqual(others, ENDS);
      assert.ok(peak < most, `${peak} MB`);
    });
  }
});
