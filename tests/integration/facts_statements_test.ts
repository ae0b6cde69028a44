// Facts 10 to 13, 22 and 27 to 29 of docs/internals/server.md; see facts_batches_test.ts for the
// others.
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import {
  type Client,
  connect,
  OutcomeUnknownError,
  ProgrammingError,
  TimeoutError,
} from "../../mod.ts";
import { until } from "../support/http.ts";
import { type Rqlited, skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";
import { cell, failureOf, type Recorder, recorder, SLOW_WRITE, table } from "./helpers.ts";

describe("statements on a real server", { skip: skipWithoutRqlited() }, () => {
  let server: Rqlited;
  let db: Client;
  let wire: Recorder;

  before(async () => {
    server = await startRqlited();
    await server.sql("CREATE TABLE slow(n)");
  });

  after(async () => await server.stop());

  beforeEach(async () => {
    await server.sql(
      "DROP TABLE IF EXISTS t",
      "CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT, b INTEGER)",
      "INSERT INTO t VALUES(1, 'x', 10), (2, 'y', 20)",
    );
    wire = recorder();
    db = connect(server.url, { fetch: wire.fetch });
  });

  const all = () => table(server, "SELECT id, a, b FROM t ORDER BY id");

  it("fact 10: placeholders without parameters are refused before anything is sent", async () => {
    const rows = await all();
    for (
      const sql of [
        "UPDATE t SET b = ? WHERE a IS ?",
        "UPDATE t SET b = :b",
        "DELETE FROM t WHERE id = @id OR $x IS NULL",
        "INSERT INTO t(a) VALUES(?3)",
      ]
    ) {
      await assert.rejects(db.execute(sql), ProgrammingError, sql);
      await assert.rejects(db.execute(sql, []), ProgrammingError, sql);
      await assert.rejects(db.execute(sql, {}), ProgrammingError, sql);
      await assert.rejects(db.batch([[sql]]), ProgrammingError, sql);
    }
    await assert.rejects(db.execute("SELECT ?"), ProgrammingError);
    await assert.rejects(
      db.execute("UPDATE t SET b = :b WHERE id = :id", { b: 1, ID: 1 }),
      ProgrammingError,
    );
    assert.deepEqual(wire.sent, []);
    assert.deepEqual(await all(), rows);
  });

  it("fact 11: strings without a statement are answered here, and the server lives", async () => {
    for (const sql of ["", "  \n", ";", "-- c", "/* c */", "/* open", " -- c\n ; /**/ ;"]) {
      assert.deepEqual((await db.query(sql)).rows, [], sql);
      assert.equal((await db.execute(sql)).rowsAffected, 0, sql);
    }
    assert.deepEqual(wire.sent, []);
    const results = await db.batch(["-- one", "SELECT 2 AS n", ""]);
    assert.deepEqual(results.map(({ rows }) => rows), [[], [{ n: 2 }], []]);
    assert.equal((await server.ask("/readyz")).status, 200);
  });

  it("fact 12: a comment behind a SELECT costs no rows", async () => {
    for (const end of ["; -- c", " -- c", ";/* c */", ";;", " /* open", "; -- c\n-- d\n"]) {
      const sql = `/* a */ -- b\nSELECT 1 AS n${end}`;
      assert.deepEqual((await db.query(sql)).rows, [{ n: 1 }], sql);
      assert.deepEqual((await db.query(sql, [], { level: "strong" })).rows, [{ n: 1 }], sql);
    }
    const [read] = await db.batch(["SELECT 1 AS n; -- c", "UPDATE t SET b = 0; -- c"]);
    assert.deepEqual(read?.rows, [{ n: 1 }]);
    assert.deepEqual(await table(server, "SELECT DISTINCT b FROM t"), [[0]]);
  });

  it("fact 13: a comment behind a write costs neither the row nor its RETURNING", async () => {
    const { rows } = await db.execute("INSERT INTO t(a) VALUES('n') RETURNING id; -- c");
    assert.deepEqual(rows, [{ id: 3 }]);
    const results = await db.batch([
      "INSERT INTO t(a) VALUES('o'); /* c */",
      "INSERT INTO t(a) VALUES('p') RETURNING id -- c",
    ]);
    assert.equal(results[0]?.rowsAffected, 1);
    assert.deepEqual(results[1]?.rows, [{ id: 5 }]);
    assert.equal((await all()).length, 5);
  });

  it("fact 22: SELECT * after a change of the schema has the new columns", async () => {
    const levels = ["none", "weak", "linearizable", "strong"] as const;
    const changes = [
      ["ALTER TABLE c DROP COLUMN b", "a,d"],
      ["ALTER TABLE c ADD COLUMN e DEFAULT 'E'", "a,d,e"],
      ["ALTER TABLE c RENAME COLUMN d TO z", "a,z,e"],
    ] as const;
    await server.sql("DROP TABLE IF EXISTS c");
    await server.sql("CREATE TABLE c(a, b, d)", "INSERT INTO c VALUES('A', 'B', 'D')");
    await server.sql("CREATE VIEW IF NOT EXISTS cv AS SELECT * FROM c");
    for (const [sql, columns] of changes) {
      // Several at once, so that several pooled connections know the old columns.
      await Promise.all(levels.map((level) => db.query("SELECT * FROM c", [], { level })));
      await db.execute(sql);
      const results = await Promise.all(
        levels.flatMap((level) => [
          db.query("SELECT * FROM c", [], { level }),
          db.query("SELECT c.* FROM c", [], { level }),
          db.query("SELECT * FROM (SELECT * FROM c)", [], { level }),
        ]),
      );
      results.push(...await db.batch(["SELECT * FROM c", "SELECT * FROM c"]));
      for (const result of results) {
        assert.equal(String(result.columns), columns);
        assert.deepEqual(Object.keys(result.rows[0]!), [...result.columns]);
        assert.equal(result.rows[0]!["a"], "A");
      }
    }
    await db.batch(["DROP TABLE c", "CREATE TABLE c(z, y)", "INSERT INTO c VALUES(1, 2)"]);
    assert.deepEqual((await db.query("SELECT * FROM c")).rows, [{ z: 1, y: 2 }]);
    for await (const row of db.iterate("SELECT * FROM c")) assert.deepEqual(row, { z: 1, y: 2 });
    await server.sql("DROP VIEW cv");
  });

  it("fact 27: a slow write is not cut by the server: the outcome is unknown here", async () => {
    await db.execute("INSERT INTO slow VALUES(0)");
    const error = await until("write that was sent", async () => {
      const error = await failureOf(db.execute(SLOW_WRITE, [], { timeout: 100 }));
      return error instanceof TimeoutError ? undefined : error;
    });
    assert.ok(error instanceof OutcomeUnknownError, String(error));
    assert.equal(error.retryable, false);
    assert.ok(wire.sent.every(({ url }) => !url.searchParams.has("db_timeout")));
    // Whoever looks finds one row or none; here it is one, once the server is done with it.
    await until(
      "slow row",
      async () => await cell(server, "SELECT count(*) FROM slow WHERE n > 0") === 1 || undefined,
    );
  });

  it("fact 28: BLOBs go in and out on every server, and text that looks like one stays text", async () => {
    const blob = Uint8Array.of(0, 255, 39, 120);
    const bytes = [blob, new Uint8Array(0), Uint8Array.of(1)];
    const texts = ["x'00ff'", " X'41' ", "x''", "[0,255]"];
    await db.execute("CREATE TABLE IF NOT EXISTS blobs(id INTEGER PRIMARY KEY, v BLOB)");
    await db.batch([...bytes, ...texts].map((v) => ["INSERT INTO blobs(v) VALUES(?)", v]));
    const { rows } = await db.query("SELECT v, typeof(v) AS t FROM blobs ORDER BY id");
    assert.deepEqual(rows.map(({ v }) => v), [...bytes, ...texts]);
    assert.deepEqual(rows.map(({ t }) => t), [
      ...bytes.map(() => "blob"),
      ...texts.map(() => "text"),
    ]);
    const again = await db.execute("UPDATE blobs SET v = :v WHERE id = 1 RETURNING v", { v: blob });
    assert.deepEqual(again.rows, [{ v: blob }]);
  });

  it("fact 29: every body is labelled as JSON, so that none is read as SQL", async () => {
    await db.query("SELECT 1");
    await db.execute("UPDATE t SET b = 0");
    await db.batch(["UPDATE t SET b = 1", "SELECT 1"]);
    const posts = wire.sent.filter(({ body }) => body !== "");
    assert.ok(posts.length >= 3);
    for (const { headers } of posts) assert.equal(headers.get("content-type"), "application/json");
  });
});
