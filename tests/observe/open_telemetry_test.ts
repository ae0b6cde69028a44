// Spans and measurements of calls, by the SDK of OpenTelemetry itself.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { context, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { DataPointType, MeterProvider, MetricReader } from "@opentelemetry/sdk-metrics";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { type Client, connect, type ConnectOptions, IntegrityError } from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { openTelemetry } from "../../src/observe/mod.ts";

/** Reads when it is asked to. */
class Reader extends MetricReader {
  override onForceFlush(): Promise<void> {
    return Promise.resolve();
  }

  override onShutdown(): Promise<void> {
    return Promise.resolve();
  }
}

const exporter = new InMemorySpanExporter();
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
const tracer = provider.getTracer("test");

/** A client with one table, and none of its spans so far. */
async function open(options: ConnectOptions = {}): Promise<Client> {
  const node = { url: "http://db.example:4001", ...embedded() };
  const db = connect({ ...node, interceptors: [openTelemetry(tracer)], ...options });
  await db.execute("CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT UNIQUE)");
  await db.execute("INSERT INTO users VALUES(1, 'Ada')");
  exporter.reset();
  return db;
}

const spans = (): ReadableSpan[] => exporter.getFinishedSpans();
const named = (name: string): ReadableSpan => {
  const found = spans().find((span) => span.name === name);
  assert.ok(found, `${name} is none of ${spans().map((span) => span.name)}`);
  return found;
};
const parentOf = (span: ReadableSpan): string | undefined => span.parentSpanContext?.spanId;
const idOf = (span: ReadableSpan): string => span.spanContext().spanId;
const settled = () => new Promise((resolve) => setTimeout(resolve));

describe("openTelemetry()", () => {
  it("makes a client's span of a call, with the attributes of the conventions", async () => {
    const db = await open();
    await db.query("SELECT name FROM users WHERE id = ?", [1]);
    const [span] = spans();
    assert.equal(span!.name, "SELECT users");
    assert.equal(span!.kind, SpanKind.CLIENT);
    assert.deepEqual(span!.attributes, {
      "db.system.name": "rqlite",
      "db.operation.name": "SELECT",
      "db.query.text": "SELECT name FROM users WHERE id = ?",
      "db.query.summary": "SELECT users",
      "server.address": "db.example",
      "server.port": 4001,
    });
    assert.equal(span!.status.code, SpanStatusCode.UNSET);
    await db.close();
  });

  it("tells no values: neither parameters nor literals nor keys of pages", async () => {
    const db = await open();
    await db.query("SELECT 'secret', 42, x'00ff' FROM users -- secret");
    await db.query("SELECT ?, 'kept' FROM users", ["secret"]);
    await db.execute("INSERT INTO users VALUES(2, 'secret'), (3, 'other')");
    await Array.fromAsync(
      db.iterate("SELECT name FROM users WHERE id > ?", [0], { by: "name", pageSize: 1 }),
    );
    const texts = spans().map(({ attributes }) => String(attributes["db.query.text"]));
    assert.deepEqual(texts.slice(0, 3).map((text) => text.trim()), [
      "SELECT ?, ?, ? FROM users",
      "SELECT ?, 'kept' FROM users",
      "INSERT INTO users VALUES(?, ?), (?, ?)",
    ]);
    assert.equal(texts.length, 6);
    assert.doesNotMatch(JSON.stringify(spans().map(({ attributes }) => attributes)), /secret|Ada/);
    await db.close();
  });

  it("names batches by what their statements have in common", async () => {
    const db = await open();
    await db.batch([["INSERT INTO users(name) VALUES(?)", "a"], [
      "INSERT INTO users(name) VALUES(?)",
      "b",
    ]]);
    await db.batch(["DELETE FROM users", "SELECT 1"]);
    const [same, other] = spans().map(({ name, attributes }) => ({ name, attributes }));
    assert.equal(same!.name, "BATCH INSERT users");
    assert.equal(same!.attributes["db.operation.name"], "BATCH INSERT");
    assert.equal(same!.attributes["db.query.text"], "INSERT INTO users(name) VALUES(?)");
    assert.equal(same!.attributes["db.operation.batch.size"], 2);
    assert.equal(other!.name, "BATCH");
    assert.equal(other!.attributes["db.query.text"], "DELETE FROM users; SELECT ?");
    await db.close();
  });

  const SUMMARIES: Readonly<Record<string, string>> = {
    "SELECT a.x FROM a JOIN main.b ON a.id = b.id": "SELECT a main.b",
    'select * from (SELECT 1 FROM "q t")': 'select SELECT "q t"',
    "SELECT (SELECT x FROM t), y FROM main.a AS b, c d, e WHERE 1": "SELECT SELECT t main.a c e",
    "WITH c AS (SELECT 1) SELECT * FROM c": "SELECT SELECT c",
    "INSERT INTO t SELECT * FROM s": "INSERT t SELECT s",
    "INSERT INTO t(a) VALUES(1) ON CONFLICT DO UPDATE SET a = 2": "INSERT t",
    "UPDATE OR IGNORE t SET a = 1": "UPDATE t",
    "REPLACE INTO t VALUES(1)": "REPLACE t",
    "SELECT 1 WHERE 1 IS NOT DISTINCT FROM 2": "SELECT",
    "CREATE TABLE IF NOT EXISTS t(a)": "CREATE TABLE t",
    "CREATE UNIQUE INDEX i ON t(a)": "CREATE INDEX i",
    "DROP VIEW IF EXISTS v": "DROP VIEW v",
    "PRAGMA user_version": "PRAGMA",
  };
  it("names a span by what its statement does to which tables", async () => {
    const answering = openTelemetry(tracer);
    exporter.reset();
    for (const sql of Object.keys(SUMMARIES)) {
      const call = { operation: "execute", statements: [{ sql, params: [] }], nodes: [] };
      await answering(() => Promise.resolve({ results: [], requests: 0, queued: 0, network: 0 }))(
        call,
      );
    }
    assert.deepEqual(spans().map(({ name }) => name), Object.values(SUMMARIES));
  });

  it("says why a call failed", async () => {
    const db = await open();
    await assert.rejects(db.execute("INSERT INTO users(name) VALUES(?)", ["Ada"]), IntegrityError);
    const span = named("INSERT users");
    assert.equal(span.status.code, SpanStatusCode.ERROR);
    assert.match(span.status.message!, /UNIQUE constraint failed/);
    assert.equal(span.attributes["error.type"], "SQLITE_CONSTRAINT_UNIQUE");
    assert.equal(span.attributes["db.response.status_code"], "SQLITE_CONSTRAINT_UNIQUE");
    assert.doesNotMatch(JSON.stringify([span.attributes, span.status]), /Ada/);
    exporter.reset();
    const mine = new RangeError("secret");
    await assert.rejects(db.transaction(() => Promise.reject(mine)), mine);
    const [whole] = spans();
    assert.equal(whole!.attributes["error.type"], "RangeError");
    assert.equal(whole!.status.message, undefined);
    await db.close();
  });

  it("tells nothing of values that SQLite names in an error", async () => {
    const db = await open();
    await db.execute("CREATE VIRTUAL TABLE notes USING fts5(body)");
    exporter.reset();
    const failing: Readonly<Record<string, readonly [value: string, said: string]>> = {
      "SELECT json_extract('{}', ?)": ["it's secret", "bad JSON path: '?'"],
      "SELECT '{}' -> ?": ["$secret", "bad JSON path: '?'"],
      "SELECT * FROM notes WHERE notes MATCH ?": ["secret:x", "no such column: ?"],
      "SELECT body FROM notes WHERE notes MATCH ?": ["AND", 'fts5: syntax error near "?"'],
      "SELECT 1 FROM notes WHERE notes MATCH ?": ["NEAR(a,b)", 'expected integer, got "?"'],
    };
    for (const [sql, [value, said]] of Object.entries(failing)) {
      await assert.rejects(db.query(sql, [value]));
      assert.equal(spans().at(-1)!.status.message, said);
    }
    await assert.rejects(db.query("SELECT missing FROM users"));
    assert.match(spans().at(-1)!.status.message!, /^no such column: missing at line 1, column 8$/);
    await db.close();
  });

  it("tells nothing of the literals of a statement that a conflict is about", async () => {
    const db = await open();
    const tx = await db.begin({ level: "weak" });
    await tx.query("SELECT count(*) FROM users WHERE name <> 'it''s secret'");
    await tx.execute("INSERT INTO users(name) VALUES('b')");
    await db.execute("DELETE FROM users");
    await assert.rejects(tx.commit(), /it''s secret/);
    const { message } = spans().find(({ status }) => status.message !== undefined)!.status;
    assert.match(message!, /is about SELECT count\(\*\) FROM users WHERE name <> \?$/);
    await db.close();
  });

  it("tells the node that was asked, where there are several", async () => {
    const url = ["http://a.example:4001", "http://b.example:4001"];
    const db = await open({ url });
    await db.query("SELECT 1");
    assert.match(String(spans()[0]!.attributes["server.address"]), /^[ab]\.example$/);
    await db.nodes();
    assert.match(spans()[1]!.name, /^nodes/);
    await db.close();
  });

  it("makes a transaction the parent of its calls, without anybody who keeps contexts", async () => {
    const db = await open();
    await db.transaction(async (tx) => {
      await tx.query("SELECT name FROM users");
      await tx.execute("UPDATE users SET name = ?", ["b"]);
    });
    const whole = named("transaction db.example:4001");
    for (const name of ["SELECT users", "UPDATE users", "commit db.example:4001"]) {
      assert.equal(parentOf(named(name)), idOf(whole), name);
      assert.equal(named(name).spanContext().traceId, whole.spanContext().traceId);
    }
    assert.equal(parentOf(whole), undefined);
    await db.query("SELECT id FROM users");
    assert.equal(parentOf(spans().at(-1)!), undefined);
    await db.close();
  });

  describe("where somebody keeps contexts", () => {
    const manager = new AsyncLocalStorageContextManager().enable();
    before(() => void context.setGlobalContextManager(manager));
    after(() => context.disable());

    it("has what is active for a parent, also in and around transactions", async () => {
      const db = await open();
      await tracer.startActiveSpan("request", async (request) => {
        await db.query("SELECT name FROM users");
        await db.transaction((tx) =>
          tracer.startActiveSpan("work", async (work) => {
            await tx.execute("UPDATE users SET name = ?", ["b"]);
            work.end();
          })
        );
        const tx = await db.begin();
        await tx.query("SELECT id FROM users");
        await tx.commit();
        await settled();
        request.end();
      });
      const request = named("request");
      assert.equal(parentOf(named("SELECT users")), idOf(request));
      const [first, second] = spans().filter(({ name }) => name.startsWith("transaction"));
      assert.equal(parentOf(first!), idOf(request));
      assert.equal(parentOf(named("work")), idOf(first!));
      assert.equal(parentOf(named("UPDATE users")), idOf(named("work")));
      assert.equal(parentOf(second!), idOf(request));
      const begun = spans().filter(({ name, attributes }) =>
        name === "SELECT users" && String(attributes["db.query.text"]).includes("id")
      );
      assert.deepEqual(begun.map(parentOf), [idOf(second!)]);
      const commits = spans().filter(({ name }) => name.startsWith("commit")).map(parentOf);
      assert.deepEqual(commits, [idOf(first!), idOf(second!)]);
      await db.close();
    });

    it("is itself what is active while its request is under way", async () => {
      const active: (string | undefined)[] = [];
      const engine = embedded();
      const db = await open({
        ...engine,
        fetch: (input, init) => {
          active.push(trace.getActiveSpan()?.spanContext().spanId);
          return engine.fetch(input, init);
        },
      });
      active.length = 0;
      await db.query("SELECT name FROM users");
      assert.deepEqual(active, [idOf(named("SELECT users"))]);
      await db.close();
    });
  });

  it("measures how long calls take, but for transactions", async () => {
    const reader = new Reader();
    const meter = new MeterProvider({ readers: [reader] }).getMeter("test");
    const began = performance.now();
    const db = await open({ interceptors: [openTelemetry(tracer, meter)] });
    await db.transaction((tx) => tx.query("SELECT name FROM users"));
    await db.query("SELECT name FROM users").catch(() => {});
    await db.query("SELECT name FROM nothing").catch(() => {});
    const { resourceMetrics } = await reader.collect();
    const [metric] = resourceMetrics.scopeMetrics[0]!.metrics;
    assert.equal(metric!.descriptor.name, "db.client.operation.duration");
    assert.equal(metric!.descriptor.unit, "s");
    assert.ok(metric!.dataPointType === DataPointType.HISTOGRAM);
    const points = metric!.dataPoints;
    const sum = points.reduce((seconds, { value }) => seconds + value.sum!, 0);
    assert.ok(sum > 0 && sum * 1000 <= performance.now() - began, `${sum} s in all`);
    assert.deepEqual(points[0]!.value.buckets.boundaries, [
      ...[0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10],
    ]);
    const counts = Object.fromEntries(
      points.map(({ attributes, value }) => [
        attributes["db.query.summary"] ?? attributes["db.operation.name"],
        value.count,
      ]),
    );
    assert.deepEqual(counts, {
      "CREATE TABLE users": 1,
      "INSERT users": 1,
      "SELECT users": 2,
      "commit": 1,
      "SELECT nothing": 1,
    });
    const failed = points.find(({ attributes }) => "error.type" in attributes);
    assert.deepEqual(failed!.attributes, {
      "db.system.name": "rqlite",
      "db.operation.name": "SELECT",
      "db.query.summary": "SELECT nothing",
      "server.address": "db.example",
      "server.port": 4001,
      "error.type": "SQLITE_ERROR",
      "db.response.status_code": "SQLITE_ERROR",
    });
    await db.close();
  });

  it("refuses what is no tracer and no meter", () => {
    for (const wrong of [undefined, null, {}, "tracer", trace]) {
      assert.throws(
        () => openTelemetry(wrong as never),
        /`tracer` as it must be what trace.getTracer/,
      );
      if (wrong === undefined) continue;
      assert.throws(
        () => openTelemetry(tracer, wrong as never),
        /`meter` as it must be what metrics/,
      );
    }
  });
});
