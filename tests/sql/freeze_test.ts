import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import { NotSupportedError } from "../../src/errors.ts";
import { analyse } from "../../src/sql/analyse.ts";
import { volatileValuesOf } from "../../src/sql/volatile_values.ts";
import { prepare } from "../../src/sql/prepare_frozen.ts";
import type { Statement } from "../../src/sql/statement.ts";
import type { Param } from "../../src/sql/value.ts";

const now = new Date("2024-02-29T23:05:06.789Z");
const TIME = "'2024-02-29 23:05:06.789Z'";

/** Fills with 0, 1, 2, … */
function counting(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  for (let i = 0; i < bytes.length; i++) bytes[i] = i;
  return bytes;
}

function frozen(statement: Statement): string {
  return prepare(statement, { now, random: counting, oneRow: () => true }).sql;
}

/** The value of an expression in a write of this moment, then the same frozen at that moment. */
function bothWays(expression: string, params: Param[]): [unknown, unknown] {
  const db = new DatabaseSync(":memory:");
  db.exec("CREATE TABLE r(at REAL, value, other); INSERT INTO r VALUES(0, NULL, NULL)");
  const bound = params as string[];
  db.prepare(`UPDATE r SET value = (${expression}), at = unixepoch('now', 'subsec')`).run(...bound);
  const read = db.prepare("SELECT at, typeof(value) AS type, value FROM r");
  const original = read.get() as { at: number; type: string; value: unknown };
  const instant = new Date(Math.round(original.at * 1000));
  const { sql, params: rest } = prepare([`UPDATE r SET value = (${expression})`, ...params], {
    now: instant,
  });
  assert.deepEqual(volatileValuesOf(analyse(sql)).filter(({ kind }) => kind !== "bound"), []);
  db.prepare(sql).run(...rest as string[]);
  const again = read.get() as { type: string; value: unknown };
  db.close();
  return [[original.type, original.value], [again.type, again.value]];
}

describe("freeze() agrees with SQLite on", () => {
  const cases: readonly [expression: string, ...params: Param[]][] = [
    ["datetime('now')"],
    ["datetime('NOW')"],
    ["datetime()"],
    ["datetime ( /* a */ )"],
    ["date('now', '+1 day')"],
    ["time('now', '-90 minutes')"],
    ["julianday('now')"],
    ["julianday()"],
    ["unixepoch()"],
    ["unixepoch('now', 'subsec')"],
    ["unixepoch('subsec')"],
    ["datetime('subsecond', 'start of month')"],
    ["strftime('%s')"],
    ["strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"],
    ["strftime('%f %J', 'subsec')"],
    ["strftime('%w', 'now', 'weekday 0')"],
    ["strftime()"],
    ["timediff('now', '2020-01-01')"],
    ["timediff('2020-01-01', 'now')"],
    ["timediff('subsec', '2020-01-01')"],
    ["CURRENT_TIMESTAMP"],
    ["current_date"],
    ["Current_Time"],
    ["CURRENT_TIMESTAMP || CURRENT_DATE"],
    ["datetime('now', 'auto')"],
    ["datetime('now', 'unixepoch')"],
    ["datetime(('now'))"],
    ["datetime(+'now')"],
    ["datetime('now' COLLATE nocase)"],
    ["datetime(DISTINCT 'now')"],
    ["datetime(x'6e6f77')"],
    ["datetime(coalesce(NULL, 'now'), '+1 hour')"],
    ["datetime(CASE WHEN 1 THEN 'now' ELSE '2020-01-01' END)"],
    ["datetime(date('now'), '+1 day')"],
    ["\"datetime\"('now')"],
    ["[unixepoch]()"],
    ["`date`('now')"],
    ["(SELECT max(d) FROM (SELECT datetime('now') AS d UNION SELECT '2020-01-01'))"],
    ["CASE WHEN CURRENT_DATE > '2000-01-01' THEN CURRENT_TIME ELSE 'x' END"],
    ["CURRENT_DATE IS DISTINCT FROM CURRENT_TIME"],
    ["datetime(' now')"],
    ["datetime('2020-01-01', 'now')"],
    ["datetime(NULL)"],
    ["datetime('localtime')"],
    ["datetime(?)", "now"],
    ["datetime(?)", new TextEncoder().encode("Now")],
    ["datetime(?)", new TextEncoder().encode("now\0and more")],
    ["datetime(?, '+1 day')", new TextEncoder().encode("subsec")],
    ["timediff(?, '2020-01-01')", new TextEncoder().encode("subsecond")],
    ["datetime(x'6e6f7700')"],
    ["datetime(x'4E4F57')"],
    ["datetime(x'737562736563', '+1 day')"],
    ["datetime(?)", "NoW"],
    ["datetime(?, '+1 day')", "now\0x"],
    ["datetime(?)", "2020-01-01"],
    ["datetime(?)", "subsec"],
    ["unixepoch(?, '+1 day')", "subsecond"],
    ["strftime(?, ?)", "%s", "now"],
    ["strftime('now', ?)", "now"],
    ["timediff(?, '2020-01-01')", "subsec"],
    ["datetime(coalesce(?, 'now'))", null],
    ["datetime(coalesce(?1, ?2)) || ?2", null, "now"],
  ];
  for (const [expression, ...params] of cases) {
    it(`${expression} ${params.length > 0 ? JSON.stringify(params) : ""}`, () => {
      const [original, again] = bothWays(expression, params);
      assert.deepEqual(again, original);
    });
  }
});

describe("freeze() writes", () => {
  const cases: readonly [what: string, statement: Statement, sql: string][] = [
    ["a literal for random()", "UPDATE t SET a = random()", "UPDATE t SET a = 283686952306183"],
    ["bytes for randomblob()", "UPDATE t SET a = randomblob(3)", "UPDATE t SET a = x'000102'"],
    ["one byte for none", "UPDATE t SET a = randomblob(-2)", "UPDATE t SET a = x'00'"],
    [
      "bytes for any number",
      "UPDATE t SET a = RandomBlob(0x1_0)",
      `UPDATE t SET a = x'${hex(16)}'`,
    ],
    [
      "bytes for a bound number",
      ["UPDATE t SET a = randomblob(?), b = ?", 2, 3],
      "UPDATE t SET a = x'0001', b = ?2",
    ],
    [
      "calls of quoted functions",
      'UPDATE t SET a = "random"()',
      "UPDATE t SET a = 283686952306183",
    ],
    [
      "each call",
      "INSERT INTO t VALUES(random(*), random ( ))",
      "INSERT INTO t VALUES(283686952306183, 283686952306183)",
    ],
    [
      "the argument that is missing",
      "UPDATE t SET a = datetime()",
      `UPDATE t SET a = datetime(${TIME})`,
    ],
    [
      "sub-selects",
      "UPDATE t SET a = (SELECT date('now'))",
      `UPDATE t SET a = (SELECT date(${TIME}))`,
    ],
    [
      "common table expressions",
      "WITH x AS (SELECT random()) DELETE FROM t",
      "WITH x AS (SELECT 283686952306183) DELETE FROM t",
    ],
    [
      "ON CONFLICT",
      "INSERT INTO t VALUES(1) ON CONFLICT(a) DO UPDATE SET a = unixepoch()",
      `INSERT INTO t VALUES(1) ON CONFLICT(a) DO UPDATE SET a = unixepoch(${TIME})`,
    ],
    ["RETURNING", "DELETE FROM t RETURNING CURRENT_DATE", "DELETE FROM t RETURNING '2024-02-29'"],
    [
      "CREATE TABLE … AS",
      "CREATE TABLE t AS SELECT date('now') AS a",
      `CREATE TABLE t AS SELECT date(${TIME}) AS a`,
    ],
    [
      "nothing into reads",
      "SELECT random(), date('now'), CURRENT_DATE",
      "SELECT random(), date('now'), CURRENT_DATE",
    ],
    [
      "nothing into DDL",
      "CREATE TABLE t(a DEFAULT CURRENT_DATE, b DEFAULT (random()))",
      "CREATE TABLE t(a DEFAULT CURRENT_DATE, b DEFAULT (random()))",
    ],
    [
      "nothing into triggers",
      "CREATE TRIGGER r AFTER INSERT ON t BEGIN DELETE FROM t WHERE a < date('now'); END",
      "CREATE TRIGGER r AFTER INSERT ON t BEGIN DELETE FROM t WHERE a < date('now'); END",
    ],
    [
      "nothing into strings",
      "UPDATE t SET a = 'random() CURRENT_DATE'",
      "UPDATE t SET a = 'random() CURRENT_DATE'",
    ],
    [
      "a bound 'now' only where it is a time",
      ["INSERT INTO t VALUES(?1, date(?1))", "now"],
      `INSERT INTO t VALUES(?1, date(${TIME}))`,
    ],
  ];
  for (const [what, statement, sql] of cases) it(what, () => assert.equal(frozen(statement), sql));

  const names = [
    "INSERT INTO date(a) VALUES(1)",
    "INSERT INTO t AS date(a) VALUES(1)",
    'INSERT INTO random("now") VALUES(1)',
    'WITH date("now") AS (SELECT 1) DELETE FROM t',
    "INSERT INTO t(a, current_timestamp) VALUES(1, 2)",
    "UPDATE t SET current_date = 1, current_time = 2",
    "UPDATE t SET (a, current_date) = (1, 2)",
    "UPDATE t SET a = 1 RETURNING a AS current_date, b current_time, t.current_timestamp",
    "DELETE FROM current_date",
    "UPDATE current_date SET a = 1",
    "INSERT INTO t SELECT a FROM u, current_date",
    "INSERT INTO t SELECT a FROM u JOIN v USING(current_date)",
    "UPDATE t SET random = random + 1, a = CAST(a AS date(3))",
    'UPDATE t SET [current_date] = "current_date"',
    'UPDATE t SET a = date(t."now") || time([now]) || datetime(`now`, t."localtime") || julianday(now)',
    'INSERT INTO t SELECT timediff("now".a, "now"."now") FROM u AS "now"',
    "UPDATE t SET a = datetime(x'6e6f7778')",
    'CREATE VIEW v AS SELECT date("now"), CURRENT_TIMESTAMP, random(), datetime()',
    "CREATE INDEX i ON t(a, lower(b)) WHERE a > CURRENT_DATE",
    "CREATE TABLE t(a CHECK (a <> date('now')), at DEFAULT (datetime('now')), g AS (date(at)))",
    "ALTER TABLE t ADD COLUMN at DEFAULT CURRENT_TIMESTAMP",
    "UPDATE t SET a = random(1)",
    "UPDATE t SET a = changes() + last_insert_rowid()",
    "UPDATE pragma_x SET pragma_y = 1 WHERE pragma_z = 'utc' AND pragma_y > total_changes",
    "INSERT INTO pragma_x(pragma_y) VALUES('localtime')",
    "DELETE FROM pragma_x WHERE a = date('utc') AND b = date('2020-01-01', '+1 day')",
    "SELECT datetime(a, 'localtime'), sqlite_version() FROM pragma_table_list",
  ];
  for (const sql of names) it(`nothing into ${sql}`, () => assert.equal(frozen(sql), sql));

  it("values into lists of values that follow lists of names", () => {
    assert.equal(
      frozen("INSERT INTO t(a, current_date) VALUES(current_date, current_time)"),
      "INSERT INTO t(a, current_date) VALUES('2024-02-29', '23:05:06')",
    );
    assert.equal(
      frozen(
        "UPDATE t SET a = 1, (b, current_date) = (current_date, 2) WHERE c IN (1, current_date)",
      ),
      "UPDATE t SET a = 1, (b, current_date) = ('2024-02-29', 2) WHERE c IN (1, '2024-02-29')",
    );
  });

  it("a negative number where a minus stands before it", () => {
    const random = (bytes: Uint8Array<ArrayBuffer>) => bytes.fill(255);
    const { sql } = prepare("UPDATE t SET a = 2-random()", { now, random, oneRow: () => true });
    assert.equal(sql, "UPDATE t SET a = 2-(-1)");
  });
});

describe("freeze() refuses", () => {
  const cases: readonly [statement: Statement, piece: string][] = [
    ["UPDATE t SET a = (SELECT b FROM u ORDER BY random() LIMIT 1)", "random()"],
    ["INSERT INTO t SELECT a FROM u GROUP BY abs(random())", "random()"],
    ["UPDATE t SET a = randomblob(b)", "randomblob(b)"],
    ["UPDATE t SET a = randomblob(1 + 1)", "randomblob(1 + 1)"],
    ["UPDATE t SET a = randomblob(1048577)", "randomblob(1048577)"],
    [["UPDATE t SET a = randomblob(?)", "4"], "randomblob(?)"],
    ["UPDATE t SET a = datetime(lower('NOW'))", "'NOW'"],
    ["UPDATE t SET a = datetime('now' || '')", "'now'"],
    ["UPDATE t SET a = datetime((SELECT 'now'))", "'now'"],
    ["UPDATE t SET a = datetime(('subsec'))", "'subsec'"],
    [["UPDATE t SET a = datetime(lower(?))", "NOW"], "?"],
    ["UPDATE t SET a = datetime('now', 'localtime')", "'localtime'"],
    ["UPDATE t SET a = datetime('now', 'UTC')", "'UTC'"],
    ["UPDATE t SET a = strftime('%s', b, '+1 day', \"utc\")", '"utc"'],
    ["UPDATE t SET a = date(b, CASE WHEN c THEN 'utc' ELSE 'auto' END)", "'utc'"],
    ["UPDATE t SET a = date(b, x'757463')", "x'757463'"],
    ["UPDATE t SET a = date(b, X'4C6f63616C74696d65')", "X'4C6f63616C74696d65'"],
    [["UPDATE t SET a = datetime(b, ?)", "LocalTime"], "?"],
    [["UPDATE t SET a = datetime(?, ?)", "now", "utc\0x"], "?"],
    [["UPDATE t SET a = datetime(a, ?)", new TextEncoder().encode("localtime")], "?"],
    ["UPDATE t SET a = datetime(a, x'7574630000')", "x'7574630000'"],
    ['UPDATE t SET a = date("now")', '"now"'],
    ["UPDATE t SET a = date(+\"NOW\", '+1 day')", '"NOW"'],
    ['UPDATE t SET a = unixepoch("subsec")', '"subsec"'],
    ["UPDATE t SET a = total_changes()", "total_changes"],
    ['DELETE FROM t WHERE a <> "sqlite_version" ()', '"sqlite_version"'],
    ["UPDATE t SET a = sqlite_source_id()", "sqlite_source_id"],
    ["UPDATE t SET a = sqlite_compileoption_used('A')", "sqlite_compileoption_used"],
    [["UPDATE t SET a = sqlite_compileoption_get(?)", 1], "sqlite_compileoption_get"],
    ["INSERT INTO t SELECT name FROM pragma_table_info('u')", "pragma_table_info"],
    ["INSERT INTO t SELECT name FROM pragma_table_list", "pragma_table_list"],
    ["INSERT INTO t SELECT a FROM u, main.[pragma_table_list]", "[pragma_table_list]"],
    ["DELETE FROM t WHERE a IN pragma_database_list", "pragma_database_list"],
    ["CREATE TABLE t AS SELECT total_changes() AS a", "total_changes"],
  ];
  for (const [statement, piece] of cases) {
    it(JSON.stringify(statement), () => {
      assert.throws(() => frozen(statement), (error) => {
        assert.ok(error instanceof NotSupportedError);
        assert.equal(error.code, "ERR_NOT_SUPPORTED");
        assert.ok(error.message.startsWith(`Cannot send ${piece} at line `), error.message);
        return true;
      });
    });
  }

  it("a time in double quotes with advice to write it otherwise", () => {
    assert.throws(() => frozen('UPDATE t SET a = date("now")'), { message: /: write 'now', or / });
  });

  it("nothing of a parameter that is not 'now'", () => {
    const sql = "UPDATE t SET a = datetime(lower(?))";
    assert.equal(frozen([sql, "2020-01-01"]), sql);
  });
});

function hex(count: number): string {
  return Array.from({ length: count }, (_, i) => i.toString(16).padStart(2, "0")).join("");
}
