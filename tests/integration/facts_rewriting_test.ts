// Facts 14 to 19 and 21 of docs/internals/server.md; see facts_batches_test.ts for the others.
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import {
  type Client,
  connect,
  IntegrityError,
  ProgrammingError,
  type Row,
  type Statement,
} from "../../mod.ts";
import { type Rqlited, skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";
import { cell, failureOf, type Recorder, recorder, table } from "./helpers.ts";

const emptyRows = { rows: [] as Row[] };

/** Statements on a table t(id, a, b) of (1, 'x', 10) and (2, 'y', 20), and what they return. */
const RETURNING: readonly [sql: string, rows: readonly unknown[][]][] = [
  ["INSERT INTO t(a) VALUES('n') RETURNING id", [[3]]],
  ["INSERT INTO t VALUES(7, 'n', (SELECT max(b) FROM t)) RETURNING b", [[20]]],
  ["INSERT INTO t(a) SELECT a FROM t WHERE id = 1 RETURNING id, a", [[3, "x"]]],
  ['INSERT INTO t(a) SELECT value FROM json_each(\'["p","q"]\') RETURNING a', [["p"], ["q"]]],
  ["INSERT INTO main.t(a) VALUES('n') RETURNING id", [[3]]],
  [
    "INSERT INTO t AS z(id, a) VALUES(1, 'n') ON CONFLICT(id) DO UPDATE SET a = z.a || excluded.a RETURNING a",
    [["xn"]],
  ],
  ["INSERT OR IGNORE INTO t(id) VALUES(1) RETURNING id", []],
  ["INSERT INTO t DEFAULT VALUES RETURNING id", [[3]]],
  ["REPLACE INTO t(id, a) VALUES(1, 'r') RETURNING a", [["r"]]],
  ["WITH c(v) AS (VALUES('w')) INSERT INTO t(a) SELECT v FROM c RETURNING a", [["w"]]],
  ["UPDATE t SET a = s.v FROM (SELECT 'f' AS v) AS s WHERE id = 1 RETURNING a", [["f"]]],
  ["UPDATE t SET (a, b) = ('m', 5) WHERE id = 2 RETURNING a, b", [["m", 5]]],
  ["UPDATE t SET b = b + 1 WHERE a = 'X' COLLATE NOCASE RETURNING b", [[11]]],
  ["UPDATE `t` SET b = 1 WHERE id = 1 RETURNING `b`", [[1]]],
  ["UPDATE [t] SET b = 1 WHERE id = 1 RETURNING [b]", [[1]]],
  ['UPDATE "t" SET "b" = 1 WHERE "id" = 1 RETURNING "b"', [[1]]],
  ["UPDATE t SET b = CASE WHEN id = 1 THEN 0 ELSE b END RETURNING b", [[0], [20]]],
  ["UPDATE t SET b = NULL WHERE b IS NOT 10 RETURNING id", [[2]]],
  ["UPDATE t SET b = 0 WHERE a IS DISTINCT FROM 'x' RETURNING id", [[2]]],
  ["UPDATE t SET b = 0 WHERE EXISTS (SELECT 1) AND id IN (1) RETURNING (SELECT count(*) FROM t)", [[
    2,
  ]]],
  ["UPDATE t SET b = 0 WHERE a GLOB '[x]*' RETURNING id", [[1]]],
  ["UPDATE t SET a = '{\"k\":1}' WHERE id = 1 RETURNING a ->> '$.k'", [[1]]],
  ["UPDATE t SET b = CAST('7' AS INTEGER) WHERE b BETWEEN 5 AND 15 RETURNING b", [[7]]],
  ["DELETE FROM t WHERE id = 1 RETURNING *", [[1, "x", 10]]],
  ["DELETE FROM t WHERE id NOT IN (VALUES(1)) RETURNING id", [[2]]],
  ["DELETE FROM t WHERE (id, a) = (2, 'y') RETURNING id", [[2]]],
];

describe("RETURNING, random() and dates on a server", { skip: skipWithoutRqlited() }, () => {
  let server: Rqlited;
  let db: Client;
  let wire: Recorder;

  before(async () => {
    server = await startRqlited();
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

  async function returned(sql: Statement): Promise<unknown[][]> {
    const [result] = await db.batch([sql], { rows: "array", integers: "auto" });
    return result!.rows as unknown as unknown[][];
  }

  it("fact 14: RETURNING has its rows whatever follows it", async () => {
    const spellings = ["\nid", "\tid", "(id)", "*", "/**/id", "\r\n  id", '"id"', "-- c\nid"];
    for (const [i, spelling] of spellings.entries()) {
      const rows = await returned(["INSERT INTO t(a) VALUES(?) RETURNING" + spelling, "n"]);
      assert.equal(rows.length, 1, spelling);
      assert.equal(rows[0]?.[0], i + 3, spelling);
    }
    assert.equal((await all()).length, 2 + spellings.length);
  });

  for (const [sql, rows] of RETURNING) {
    it(`fact 15: ${sql}`, async () => {
      assert.deepEqual(await returned(sql), rows);
    });
  }

  it("fact 15: in a batch the statement's rows are its own, and it is applied once", async () => {
    const results = await db.batch([
      "UPDATE t SET b = b + 1",
      "UPDATE t SET b = b + 1 WHERE a IS NOT 'y' COLLATE BINARY RETURNING b",
      "INSERT INTO main.t(a, b) VALUES('n', 1) RETURNING id",
    ]);
    assert.deepEqual(results.map(({ rows }) => rows), [[], [{ b: 12 }], [{ id: 3 }]]);
    assert.deepEqual(await table(server, "SELECT b FROM t ORDER BY id"), [[12], [21], [1]]);
  });

  it("fact 16: RETURNING beside random() and the date functions has its rows", async () => {
    const year = String(new Date().getUTCFullYear());
    const [[made] = []] = await returned("UPDATE t SET b = random() WHERE id = 1 RETURNING b");
    assert.equal(await cell(server, `SELECT b IS ${made} FROM t WHERE id = 1`), 1);
    assert.deepEqual(
      await returned("UPDATE t SET a = strftime('%Y', 'now') WHERE id = 1 RETURNING a"),
      [[year]],
    );
    assert.deepEqual(
      await returned("DELETE FROM t WHERE a < datetime('now') AND id = 1 RETURNING id"),
      [[1]],
    );
    const chosen = "DELETE FROM t WHERE random() IS NOT 'x' AND id = 2 RETURNING id";
    assert.deepEqual(await returned(chosen), [[2]]);
    assert.deepEqual(await all(), []);
  });

  it("fact 17: CURRENT_TIMESTAMP beside datetime('now') and random() is a time", async () => {
    await db.batch([
      "CREATE TABLE IF NOT EXISTS times(a, b, c)",
      "DELETE FROM times",
      "INSERT INTO times VALUES(datetime('now'), CURRENT_TIMESTAMP, random())",
    ]);
    await db.execute("UPDATE times SET c = CURRENT_DATE || '/' || CURRENT_TIME, a = date('now')");
    const [[a, b, c] = []] = await table(server, "SELECT a, b, c FROM times");
    assert.match(String(a), /^\d{4}-\d\d-\d\d$/);
    assert.match(String(b), /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
    assert.match(String(c), /^\d{4}-\d\d-\d\d\/\d\d:\d\d:\d\d$/);
  });

  it("fact 18: STRICT and WITHOUT ROWID survive beside a default that is a call", async () => {
    const defaults = "x INTEGER DEFAULT (random()), d TEXT DEFAULT (datetime('now'))";
    await db.execute("DROP TABLE IF EXISTS s");
    await db.execute(`CREATE TABLE s(id INTEGER PRIMARY KEY, ${defaults}) STRICT`);
    const error = await failureOf(db.execute("INSERT INTO s(x) VALUES('text')"));
    assert.ok(error instanceof IntegrityError, String(error));
    assert.equal(error.constraint, "datatype");
    await db.execute("DROP TABLE IF EXISTS w");
    await db.execute(`CREATE TABLE w(id TEXT PRIMARY KEY, ${defaults}) WITHOUT ROWID`);
    await assert.rejects(db.query("SELECT rowid FROM w"), ProgrammingError);
    const stored = await cell(server, "SELECT sql FROM sqlite_schema WHERE name = 's'");
    assert.ok(String(stored).includes(defaults), "the defaults are not frozen");
  });

  it("fact 18: STRICT survives in a batch with a read, and in one with RETURNING", async () => {
    const create = "(id INTEGER PRIMARY KEY, x INTEGER DEFAULT (random())) STRICT";
    await db.batch([
      "DROP TABLE IF EXISTS s1",
      "DROP TABLE IF EXISTS s2",
      `CREATE TABLE s1${create}`,
      "SELECT count(*) FROM s1",
    ]);
    await db.batch([`CREATE TABLE s2${create}`, "INSERT INTO s2(id) VALUES(1) RETURNING id"]);
    const stored = await table(
      server,
      "SELECT sql FROM sqlite_schema WHERE name IN ('s1', 's2')",
    );
    assert.deepEqual(stored.flat().sort(), [
      `CREATE TABLE s1${create}`,
      `CREATE TABLE s2${create}`,
    ]);
  });

  it("fact 19: LIKE ... ESCAPE beside random() and the date functions works", async () => {
    await server.sql("INSERT INTO t VALUES(3, '50%', 0)");
    const where = "a LIKE '%!%' ESCAPE '!' AND id = 3";
    const numbers = await db.execute(`UPDATE t SET b = random() WHERE ${where}`);
    assert.equal(numbers.rowsAffected, 1);
    const dates = await db.execute(
      `UPDATE t SET b = unixepoch('now') WHERE ${where} RETURNING id`,
    );
    assert.deepEqual(dates.rows, [{ id: 3 }]);
  });

  it("fact 19: LIKE ... ESCAPE beside random() and the date functions works in a read", async () => {
    const sql = "SELECT id, random() % 9 AS r, date('now') AS d FROM t WHERE a LIKE 'x' ESCAPE '!'";
    for (const level of ["none", "weak", "linearizable", "strong"] as const) {
      const { rows } = await db.query(sql, [], { level });
      assert.deepEqual(rows.map(({ id }) => id), [1], level);
    }
    const [, { rows } = emptyRows] = await db.batch(["UPDATE t SET b = 0 WHERE id = 2", sql]);
    assert.deepEqual(rows.map(({ id }) => id), [1]);
  });

  it("facts 16 to 19: random() and the date functions keep their column names in a read", async () => {
    const sql = "SELECT random() % 1000000007, date('now') FROM t";
    for (const level of ["none", "weak", "linearizable", "strong"] as const) {
      const { columns, rows } = await db.query(sql, [], { level, rows: "array" });
      assert.deepEqual(columns, ["random() % 1000000007", "date('now')"], level);
      const [one, two] = rows as unknown as unknown[][];
      assert.notEqual(one?.[0], two?.[0], "one value for each row");
    }
  });

  it("facts 16 to 19: one call is one value, and two calls are two", async () => {
    await db.execute("INSERT INTO t(a, b) VALUES(hex(randomblob(8)), random()), ('k', random())");
    const values = await table(server, "SELECT a, b FROM t WHERE id > 2 ORDER BY id");
    assert.match(String(values[0]?.[0]), /^[0-9A-F]{16}$/);
    assert.notEqual(values[0]?.[1], values[1]?.[1]);
  });

  it("fact 21: statements are stored as they were written, whatever way they go", async () => {
    const body = "AS SELECT random() AS r, date('now') AS d, datetime() AS n";
    const trigger = "AFTER INSERT ON t BEGIN UPDATE t SET b = random() WHERE id = -1; END";
    const names = ["v1", "v2", "v3"];
    await db.batch(names.map((name) => `DROP VIEW IF EXISTS ${name}`));
    await db.execute(`CREATE VIEW v1 ${body}`);
    await db.batch([`CREATE VIEW v2 ${body}`, `CREATE TRIGGER tr ${trigger}`]);
    await db.batch([`CREATE VIEW v3 ${body}`, "SELECT 1", "UPDATE t SET b = 0 RETURNING id"]);
    const stored = await table(
      server,
      "SELECT sql FROM sqlite_schema WHERE type IN ('view', 'trigger') ORDER BY name",
    );
    const views = names.map((name) => `CREATE VIEW ${name} ${body}`);
    assert.deepEqual(stored.flat(), [`CREATE TRIGGER tr ${trigger}`, ...views]);
    for (const { url } of wire.sent.filter(({ url }) => url.pathname.startsWith("/db/"))) {
      assert.ok(["norwtime", "noparse"].some((flag) => url.searchParams.has(flag)), url.href);
    }
  });
});
