// What is loaded by the first call that needs it: in which order such calls leave, and what they say where it is missing.
import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import type * as api from "../../mod.ts";
import type { Client } from "../../mod.ts";
import { Late } from "../../src/late.ts";
import { Deadline } from "../../src/time/deadline.ts";
import { copyPackage, type PackageCopy } from "../support/package_copy.ts";
import { skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";
import {
  type Answer,
  type ScriptedFetch,
  scriptedFetch,
  type Step,
} from "../support/scripted_fetch.ts";
import { test } from "../support/test.ts";

const copies: PackageCopy[] = [];
after(() => copies.forEach((copy) => copy.remove()));

/** The package as a program has it that has just been started. */
async function fresh(...missing: readonly string[]): Promise<typeof api> {
  const copy = copyPackage();
  copies.push(copy);
  for (const path of missing) copy.drop(path);
  return await copy.load("mod.ts");
}

/** Takes every statement, and refuses those that hold "wrong". */
const obliging = (): ScriptedFetch =>
  scriptedFetch(({ body }): Answer => ({ body: answerTo(body) }));

function answerTo(body: string): unknown {
  const statements = JSON.parse(body) as readonly unknown[];
  const results = statements.map((statement) =>
    JSON.stringify(statement).includes("wrong")
      ? { error: "no such table: wrong" }
      : { columns: ["1"], types: ["integer"], values: [[1]], rows_affected: 1 }
  );
  return { results };
}

const BUSY: Answer = { status: 503, body: "leader not found" };

function connectTo(from: typeof api, fetch: ScriptedFetch, options = {}): Client {
  return from.connect("http://node:4001", {
    fetch,
    exactlyOnce: false,
    retries: 0,
    level: "weak",
    ...options,
  });
}

const never = (): Promise<never> => new Promise(() => {});

test("Late.use() runs the work at once where the part is there", async () => {
  const late = new Late("tests", () => Promise.resolve({ n: 1 }));
  const deadline = new Deadline(60_000);
  const first = late.use(deadline, ({ n }) => n);
  assert.ok(first instanceof Promise);
  assert.equal(await first, 1);
  assert.equal(late.use(deadline, ({ n }) => n), 1);
});

test("Late.use() loads for each call that comes before it is there, as a request of a Worker may be gone", async () => {
  let calls = 0;
  const late = new Late("tests", () => ++calls === 1 ? never() : Promise.resolve(calls));
  const stop = new AbortController();
  const gone = late.use(new Deadline(60_000, stop.signal), (part) => part);
  await Promise.resolve();
  assert.equal(await late.use(new Deadline(60_000), (part) => part), 2);
  assert.equal(late.use(new Deadline(60_000), (part) => part), 2);
  stop.abort(new Error("gone"));
  await assert.rejects(async () => await gone, { message: "gone" });
});

test("Late.use() loads once for calls that are made at once, and keeps their order", async () => {
  let calls = 0;
  const late = new Late("tests", () => Promise.resolve(++calls));
  const order: number[] = [];
  await Promise.all([1, 2, 3].map((n) => late.use(new Deadline(60_000), () => order.push(n))));
  assert.deepEqual([calls, order], [1, [1, 2, 3]]);
});

test("Late.use() tries again after it failed, and says what is certain", async () => {
  const cause = new Error("no network");
  let calls = 0;
  const late = new Late(
    "tests",
    () => ++calls === 1 ? Promise.reject(cause) : Promise.resolve("part"),
  );
  const use = async () => await late.use(new Deadline(60_000), (part) => part);
  await assert.rejects(use, (error: api.OperationalError) => {
    assert.equal(error.name, "OperationalError");
    assert.match(error.message, /^Nothing was sent, as the part of .* for tests could not be/);
    assert.deepEqual([error.retryable, error.cause], [true, cause]);
    return true;
  });
  assert.equal(await use(), "part");
});

test("Late.use() ends with the call: by its time, or by the reason of its signal", async () => {
  const late = new Late<never>("tests", never);
  await assert.rejects(async () => await late.use(new Deadline(1), () => {}), {
    name: "TimeoutError",
    message: /^Nothing was sent, as the part of .* for tests was not loaded in time$/,
  });
  const reason = new Error("enough");
  const deadline = new Deadline(60_000, AbortSignal.abort(reason));
  await assert.rejects(async () => await late.use(deadline, () => {}), reason);
});

test("Late.use() leaves errors of the work as they are", async () => {
  const late = new Late("tests", () => Promise.resolve(1));
  const failing = (): never => {
    throw new RangeError("of the work");
  };
  await assert.rejects(async () => await late.use(new Deadline(60_000), failing), RangeError);
  assert.throws(() => late.use(new Deadline(60_000), failing), RangeError);
});

describe("the first calls of a program", () => {
  it("come behind an import that analyses no SQL", async () => {
    const copy = copyPackage();
    copies.push(copy);
    const analysis = "function analyseNow(source: string): Analysis {";
    copy.change("src/sql/analyse.ts", analysis, `${analysis} throw new RangeError("analysed");`);
    const db = connectTo(await copy.load<typeof api>("mod.ts"), obliging());
    await assert.rejects(db.query("SELECT 1"), { name: "RangeError", message: "analysed" });
    await db.close();
  });

  it("execute() and batch() leave in the order in which they were called, with what was given then", async () => {
    const fetch = obliging();
    const db = connectTo(await fresh(), fetch);
    const params = [0];
    const calls: Promise<unknown>[] = [];
    for (let i = 0; i < 6; i++) {
      params[0] = i;
      calls.push(
        i % 2 === 0
          ? db.execute("UPDATE t SET a = ?", params)
          : db.batch([["UPDATE t SET a = ?", params[0]]]),
      );
    }
    params[0] = -1;
    await Promise.all(calls);
    const sent = fetch.calls.map(({ body }) => JSON.parse(body)[0][1]);
    assert.deepEqual(sent, [0, 1, 2, 3, 4, 5]);
    await db.close();
  });

  it("leave in the order in which they were called, also some microtasks apart", async () => {
    for (const rounds of [3, 100]) {
      const fetch = obliging();
      const db = connectTo(await fresh(), fetch);
      const calls: Promise<unknown>[] = [];
      for (let i = 0; i < 6; i++) {
        calls.push(db.execute("UPDATE t SET a = ?", [i]));
        for (let round = 0; round < rounds; round++) await undefined;
      }
      await Promise.all(calls);
      const sent = fetch.calls.map(({ body }) => JSON.parse(body)[0][1]);
      assert.deepEqual(sent, [0, 1, 2, 3, 4, 5], `${rounds} microtasks apart`);
      await db.close();
    }
  });

  it("reads that are made at once share a request, in the order in which they were called", async () => {
    const fetch = obliging();
    const db = connectTo(await fresh(), fetch);
    const numbers = Array.from({ length: 64 }, (_, n) => n);
    await Promise.all(numbers.map((n) => db.query("SELECT ?", [n])));
    const sent = fetch.calls.map(({ body }) => JSON.parse(body));
    assert.deepEqual(sent, [numbers.map((n) => ["SELECT ?", n])]);
    await db.close();
  });

  it("query() takes what was given when it was called", async () => {
    const fetch = obliging();
    const db = connectTo(await fresh(), fetch);
    const params = [1, new Uint8Array([1])];
    const read = db.query("SELECT ?, ?", params);
    (params[1] as Uint8Array)[0] = 2;
    params[0] = 2;
    await read;
    assert.deepEqual(JSON.parse(fetch.calls[0]!.body), [["SELECT ?, x'01'", 1]]);
    await db.close();
  });

  it("end with close(), and send nothing, though what sends them comes later", async () => {
    const fetch = obliging();
    const from = await fresh();
    const db = connectTo(from, fetch);
    const calls = [
      db.query("SELECT 1"),
      db.execute("DELETE FROM t"),
      db.transaction((tx) => tx.query("SELECT 1")),
      db.ready(),
    ];
    const [ended] = await Promise.all([Promise.allSettled(calls), db.close()]);
    for (const call of ended) {
      assert.ok(call.status === "rejected" && call.reason instanceof from.InterfaceError);
    }
    assert.equal(fetch.calls.length, 0);
  });

  it("transaction() does not begin before its options are read, nor with a signal that has fired", async () => {
    const fetch = obliging();
    const db = connectTo(await fresh(), fetch);
    const run = (options: object) => db.transaction(() => assert.fail("was run"), options);
    await assert.rejects(run({ retries: -1 }), RangeError);
    await assert.rejects(run({ mode: "slow" }), TypeError);
    const reason = new Error("enough");
    await assert.rejects(run({ signal: AbortSignal.abort(reason) }), reason);
    await assert.rejects(db.transaction(undefined as never), TypeError);
    assert.equal(fetch.calls.length, 0);
    await db.close();
    await assert.rejects(run({}), { name: "InterfaceError" });
  });

  it("iterate() throws at once what it always did", async () => {
    const db = connectTo(await fresh(), obliging());
    assert.throws(() => db.iterate("SELECT a FROM t GROUP BY a"), { name: "ProgrammingError" });
    assert.throws(() => db.iterate("DELETE FROM t"), { name: "ProgrammingError" });
    await db.close();
  });
});

describe("the first transaction of a program", { skip: skipWithoutRqlited() }, () => {
  it("keeps the order of statements that nobody awaited one by one", async () => {
    await withServer(async (url) => {
      const db = (await fresh()).connect(url);
      await db.execute("CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT, n INTEGER)");
      const other = (await fresh()).connect(url);
      const seen = await other.transaction(async (tx) => {
        const calls = [1, 2, 3, 4, 5].map((n) => tx.execute("INSERT INTO t(n) VALUES(?)", [n]));
        const read = tx.query("SELECT n FROM t ORDER BY id", [], { rows: "array" });
        await Promise.all(calls);
        return (await read).rows;
      });
      assert.deepEqual(seen, [[1], [2], [3], [4], [5]]);
      await Promise.all([db.close(), other.close()]);
    });
  });
});

async function withServer(work: (url: string) => Promise<void>): Promise<void> {
  const server = await startRqlited();
  try {
    await work(server.url);
  } finally {
    await server.stop();
  }
}

/** A file of each part, and the calls that cannot do without it. */
const PARTS: Readonly<Record<string, readonly [string, (db: Client) => Promise<unknown>][]>> = {
  "src/commit/writer.ts": [
    ["execute()", (db) => db.execute("UPDATE t SET a = 1")],
    ["batch()", (db) => db.batch(["UPDATE t SET a = 1"])],
    ["script()", (db) => db.script("UPDATE t SET a = 1")],
    ["insertMany()", (db) => db.insertMany("t", [[1]])],
    ["outcome()", (db) => db.outcome("order-7")],
  ],
  "src/transaction/journal.ts": [
    ["transaction()", (db) => db.transaction(() => assert.fail("was run"))],
    ["begin()", (db) => db.begin()],
  ],
  "src/client/script.ts": [["script()", (db) => db.script("SELECT 1")]],
  "src/client/insert_many.ts": [["insertMany()", (db) => db.insertMany("t", [[1]])]],
  "src/calls/cluster.ts": [
    ["nodes()", (db) => db.nodes()],
    ["leader()", (db) => db.leader()],
    ["status()", (db) => db.status()],
    ["ready()", (db) => db.ready()],
    ["stepDown()", (db) => db.stepDown()],
    ["removeNode()", (db) => db.removeNode("2")],
    ["snapshot()", (db) => db.snapshot()],
    ["enqueue()", (db) => db.enqueue("DELETE FROM t")],
  ],
  "src/client/load.ts": [
    ["backup()", (db) => db.backup()],
    ["load()", (db) => db.load("SELECT 1")],
    ["boot()", (db) => db.boot(new Uint8Array(100))],
  ],
};

describe("where a file of the package is missing", () => {
  for (const [file, calls] of Object.entries(PARTS)) {
    it(`${calls.map(([name]) => name).join(", ")} say that nothing was sent, and reads go on, without ${file}`, async () => {
      const from = await fresh(file);
      const fetch = obliging();
      const db = connectTo(from, fetch);
      for (const [name, call] of calls) {
        for (const attempt of [1, 2]) {
          await assert.rejects(call(db), (error: api.OperationalError) => {
            assert.ok(error instanceof from.OperationalError, `${name}, ${attempt}: ${error}`);
            assert.match(error.message, /^Nothing was sent, as the part of @tangled\/rqlite for /);
            assert.equal(error.retryable, true);
            assert.ok(error.cause instanceof Error || typeof error.cause === "object", name);
            return true;
          });
        }
      }
      assert.equal(fetch.calls.length, 0);
      assert.equal(await db.value("SELECT 1"), 1);
      await db.close();
    });
  }

  it("every call says that nothing was sent without src/calls/backend.ts, and mistakes are told as ever", async () => {
    const from = await fresh("src/calls/backend.ts");
    const fetch = obliging();
    const db = connectTo(from, fetch);
    const calls: Record<string, () => Promise<unknown>> = {
      "query()": () => db.query("SELECT 1"),
      "first()": () => db.first("SELECT 1"),
      "value()": () => db.value("SELECT 1"),
      "iterate()": () => db.iterate("SELECT a FROM t").next(),
      "execute()": () => db.execute("DELETE FROM t"),
      "transaction()": () => db.transaction(() => assert.fail("was run")),
      "ready()": () => db.ready(),
    };
    for (const [name, call] of Object.entries(calls)) {
      await assert.rejects(call, (error: api.OperationalError) => {
        assert.ok(error instanceof from.OperationalError, `${name}: ${error}`);
        assert.match(error.message, /^Nothing was sent, as the part of @tangled\/rqlite for /);
        return true;
      });
    }
    await assert.rejects(db.query("DELETE FROM t"), from.ProgrammingError);
    await assert.rejects(db.query("SELECT ?"), from.ProgrammingError);
    assert.throws(() => db.iterate("DELETE FROM t"), from.ProgrammingError);
    assert.equal(fetch.calls.length, 0);
    await db.close();
    await assert.rejects(db.query("SELECT 1"), from.InterfaceError);
  });

  it("query() says what the server does of a statement that failed, without src/wire/sql_errors.ts", async () => {
    const from = await fresh("src/wire/sql_errors.ts");
    const db = connectTo(from, obliging());
    await assert.rejects(db.query("SELECT a FROM wrong"), (error: api.DatabaseError) => {
      assert.ok(error instanceof from.DatabaseError);
      assert.deepEqual([error.message, error.sql], ["no such table: wrong", "SELECT a FROM wrong"]);
      assert.match(String(error.cause), /Cannot tell more of the error, as the part of /);
      return true;
    });
    assert.equal(await db.value("SELECT 1"), 1);
    await db.close();
  });

  it("execute() cannot tell that nothing was sent, and query() goes on, without src/transport/never_sent.ts", async () => {
    const from = await fresh("src/transport/never_sent.ts");
    const cause = Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
    const fetch = scriptedFetch((_, i): Step =>
      i < 2 ? { reject: new TypeError("fetch failed", { cause }) } : { body: answerTo("[1]") }
    );
    const db = connectTo(from, fetch, { retries: 1 });
    await assert.rejects(db.execute("DELETE FROM t"), from.OutcomeUnknownError);
    assert.equal(await db.value("SELECT 1"), 1);
    await db.close();
  });

  it("query() asks the first of several nodes without src/transport/nearest.ts", async () => {
    const from = await fresh("src/transport/nearest.ts");
    const fetch = obliging();
    const db = from.connect(["http://node:4001", "http://other:4001"], { fetch, level: "none" });
    for (let i = 0; i < 3; i++) assert.equal(await db.value("SELECT 1"), 1);
    assert.deepEqual(
      fetch.calls.map(({ url }) => new URL(url).hostname),
      ["node", "node", "node"],
    );
    await db.close();
  });

  it("query() says that a value stays in doubt, without src/calls/clear_doubts.ts", async () => {
    const from = await fresh("src/calls/clear_doubts.ts");
    const bytes = String
      .raw`{"results":[{"columns":["a"],"types":["text"],"values":[["\ufffd"]]}]}`;
    const fetch = scriptedFetch(({ body }): Answer => ({
      body: body.includes("doubt") ? bytes : answerTo(body),
    }));
    const db = connectTo(from, fetch);
    await assert.rejects(db.query("SELECT x'ff' AS doubt"), (error: api.OperationalError) => {
      assert.ok(error instanceof from.OperationalError, String(error));
      assert.match(error.message, /^Cannot tell what some of the values are, as the part of /);
      return true;
    });
    assert.equal(await db.value("SELECT 1"), 1);
    await db.close();
  });

  it("a refused write may have been applied, a refused read was not, without what judges refusals", async () => {
    const copy = copyPackage();
    copies.push(copy);
    // In a bundle, a module of its own leads to what writes have loaded with the rest.
    copy.change(
      "src/calls/dispatch.ts",
      '() => import("./refusals.ts")',
      '() => import("./gone.ts")',
    );
    const from = await copy.load<typeof api>("mod.ts");
    const fetch = scriptedFetch(() => BUSY);
    const db = connectTo(from, fetch);
    await assert.rejects(db.query("SELECT 1"), (error: api.OperationalError) => {
      assert.ok(error instanceof from.OperationalError && !(error instanceof from.TimeoutError));
      assert.equal(error.message, "Cannot tell why the read failed: http://node:4001 answered 503");
      assert.match(
        String(error.cause),
        /Cannot tell more, as the part of .* for refusals of nodes/,
      );
      return true;
    });
    await assert.rejects(db.execute("DELETE FROM t"), (error: api.OutcomeUnknownError) => {
      assert.ok(error instanceof from.OutcomeUnknownError, String(error));
      assert.equal(
        error.message,
        "Cannot tell whether the write was applied: http://node:4001 answered 503",
      );
      return true;
    });
    const stop = new AbortController();
    const signal = stop.signal;
    const reason = new Error("enough");
    const stopping = connectTo(from, scriptedFetch(() => (stop.abort(reason), BUSY)));
    await assert.rejects(stopping.query("SELECT 1", [], { signal }), reason);
    await Promise.all([db.close(), stopping.close()]);
  });
});
