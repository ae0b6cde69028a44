import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { analyse } from "../../src/sql/analyse.ts";
import type { PragmaPlace, StatementKind } from "../../src/sql/classify.ts";

describe("analyse() kind and verb", () => {
  const cases: readonly [sql: string, kind: StatementKind, verb: string][] = [
    ["SELECT 1", "read", "SELECT"],
    ["select 1", "read", "SELECT"],
    ["-- BEGIN\n/* INSERT */ SELECT 1", "read", "SELECT"],
    ["VALUES(1)", "read", "VALUES"],
    ["WITH a AS (SELECT 1) SELECT * FROM a", "read", "SELECT"],
    ["WITH RECURSIVE a(n) AS (SELECT 1 UNION SELECT n FROM a) VALUES(1)", "read", "VALUES"],
    ['WITH replace AS (SELECT 1), "delete"(b) AS (SELECT 2) SELECT 3', "read", "SELECT"],
    [
      "WITH a AS NOT MATERIALIZED (SELECT 1), 'b' AS MATERIALIZED (SELECT 2) INSERT INTO t SELECT 1",
      "write",
      "INSERT",
    ],
    ["WITH [a](b, c) AS (SELECT ')', 2) UPDATE t SET a = 1", "write", "UPDATE"],
    ["WITH a AS (DELETE) DELETE FROM t", "write", "DELETE"],
    ["WITH a AS (SELECT 1) REPLACE INTO t VALUES(1)", "write", "REPLACE"],
    ["WITH a AS SELECT 1", "unknown", ""],
    ["WITH a AS (SELECT 1)", "unknown", ""],
    ["WITH a AS (SELECT 1) CREATE TABLE t(a)", "unknown", "CREATE"],
    ["INSERT INTO t DEFAULT VALUES", "write", "INSERT"],
    ["REPLACE INTO t VALUES(1)", "write", "REPLACE"],
    ["UPDATE OR IGNORE t SET a = 1", "write", "UPDATE"],
    ["DELETE FROM t AS x", "write", "DELETE"],
    ["CREATE TRIGGER r AFTER INSERT ON t BEGIN DELETE FROM u; END", "ddl", "CREATE"],
    ["ALTER TABLE t ADD b", "ddl", "ALTER"],
    ["DROP TABLE t", "ddl", "DROP"],
    ["REINDEX", "ddl", "REINDEX"],
    ["ANALYZE", "ddl", "ANALYZE"],
    ["VACUUM", "ddl", "VACUUM"],
    ["ATTACH 'a' AS b", "ddl", "ATTACH"],
    ["DETACH b", "ddl", "DETACH"],
    ["PRAGMA foreign_keys", "pragma", "PRAGMA"],
    ["begin immediate", "control", "BEGIN"],
    ["COMMIT", "control", "COMMIT"],
    ["END TRANSACTION", "control", "END"],
    ["ROLLBACK TO a", "control", "ROLLBACK"],
    ["SAVEPOINT a", "control", "SAVEPOINT"],
    ["RELEASE a", "control", "RELEASE"],
    ["EXPLAIN QUERY PLAN DELETE FROM t", "explain", "EXPLAIN"],
    ["SELECT * FROM commits", "read", "SELECT"],
    ["SELECT 'BEGIN', \"COMMIT\", rollback FROM t", "read", "SELECT"],
    ["SELECT replace(a, 'x', 'y') FROM replace", "read", "SELECT"],
    ["beginning", "unknown", "BEGINNING"],
    ["(SELECT 1)", "unknown", ""],
    ["'SELECT' 1", "unknown", ""],
    ["", "empty", ""],
    [" ; -- a", "empty", ""],
  ];
  for (const [sql, kind, verb] of cases) {
    it(`finds ${kind} in ${sql}`, () => {
      const analysis = analyse(sql);
      assert.deepEqual([analysis.kind, analysis.verb], [kind, verb]);
    });
  }
});

describe("analyse() of writes", () => {
  const tables: readonly [sql: string, table: string | undefined][] = [
    ["INSERT INTO t VALUES(1)", "t"],
    ["INSERT INTO t(a) SELECT a FROM u", "t"],
    ["INSERT INTO main.t AS x DEFAULT VALUES", "main.t"],
    ['INSERT OR REPLACE INTO "a ""b" (c) VALUES(1)', '"a ""b"'],
    ["INSERT INTO main . [t] VALUES(1)", "main . [t]"],
    ["REPLACE INTO `t` VALUES(1)", "`t`"],
    ["INSERT INTO 't' VALUES(1)", "'t'"],
    ["INSERT INTO replace VALUES(1)", "replace"],
    ["UPDATE OR ROLLBACK t SET a = 1", "t"],
    ['UPDATE temp."t" AS x SET a = 1', 'temp."t"'],
    ["DELETE FROM t AS x WHERE a", "t"],
    ["WITH a AS (SELECT 1 FROM u) DELETE FROM main.t", "main.t"],
    ["SELECT 1 FROM t", undefined],
    ["DELETE", undefined],
    ["EXPLAIN DELETE FROM t", undefined],
  ];
  for (const [sql, table] of tables) {
    it(`names the target of ${sql}`, () => assert.equal(analyse(sql).table, table));
  }

  it("sees RETURNING at the top level only", () => {
    assert.equal(analyse("INSERT INTO t VALUES(1) RETURNING a").returning, true);
    assert.equal(analyse("WITH x AS (SELECT 1) DELETE FROM t returning*").returning, true);
    assert.equal(analyse("INSERT INTO t VALUES('RETURNING a')").returning, false);
    assert.equal(analyse('UPDATE t SET "returning" = 1').returning, false);
    assert.equal(analyse("INSERT INTO t VALUES((SELECT 1 RETURNING a))").returning, false);
    assert.equal(
      analyse("CREATE TRIGGER r AFTER INSERT ON t BEGIN DELETE FROM t RETURNING a; END").returning,
      false,
    );
    assert.equal(analyse("SELECT 1 RETURNING a").returning, false);
  });

  it("sees an upsert", () => {
    assert.equal(
      analyse("INSERT INTO t VALUES(1) ON CONFLICT(a) DO UPDATE SET b = 1").upsert,
      true,
    );
    assert.equal(analyse("INSERT INTO t VALUES(1) ON CONFLICT DO NOTHING").upsert, false);
    assert.equal(analyse("INSERT OR REPLACE INTO t VALUES('DO UPDATE')").upsert, false);
  });

  it("sees OR ROLLBACK", () => {
    assert.equal(analyse("insert or rollback into t values(1)").or, "ROLLBACK");
    assert.equal(analyse("WITH x AS (SELECT 1) UPDATE OR ROLLBACK t SET a = 1").or, "ROLLBACK");
    assert.equal(analyse("INSERT OR ABORT INTO t VALUES('OR ROLLBACK')").or, "ABORT");
    assert.equal(analyse("CREATE TABLE t(a UNIQUE ON CONFLICT ROLLBACK)").or, undefined);
    assert.equal(analyse("DELETE FROM t WHERE a OR rollback").or, undefined);
  });
});

describe("analyse() of reads", () => {
  const tables = [
    "SELECT a FROM t",
    "select * from t",
    "SELECT (SELECT a FROM t)",
    "SELECT 1 IN (SELECT a FROM t)",
  ];
  for (const sql of [...tables, "WITH x AS (SELECT a FROM t) SELECT a FROM x"]) {
    it(`sees that ${sql} reads a table`, () => assert.equal(analyse(sql).from, true));
  }
  for (const sql of ["SELECT 1", "SELECT 'FROM'", 'SELECT "from"', "VALUES(1)", "DELETE FROM t"]) {
    it(`sees no table read by ${sql}`, () => assert.equal(analyse(sql).from, false));
  }

  const pragmas: readonly [sql: string, name: string, writes: boolean, place: PragmaPlace][] = [
    ["PRAGMA foreign_keys", "foreign_keys", false, "anywhere"],
    ["PRAGMA foreign_keys = ON", "foreign_keys", true, "nowhere"],
    ["EXPLAIN QUERY PLAN PRAGMA foreign_keys(1)", "foreign_keys", true, "nowhere"],
    ["pragma main.Journal_Mode=wal", "journal_mode", true, "nowhere"],
    ["PRAGMA query_only(1)", "query_only", true, "nowhere"],
    ["PRAGMA table_info(t)", "table_info", false, "anywhere"],
    ["PRAGMA table_info = t", "table_info", false, "anywhere"],
    ["PRAGMA \"main\".'table_info'('t')", "table_info", false, "anywhere"],
    ["PRAGMA wal_checkpoint", "wal_checkpoint", true, "nowhere"],
    ["PRAGMA optimize", "optimize", true, "alone"],
    ["PRAGMA user_version = 1", "user_version", true, "anywhere"],
    ["PRAGMA temp.user_version = 1", "user_version", true, "nowhere"],
    ["PRAGMA defer_foreign_keys(ON)", "defer_foreign_keys", true, "unit"],
    ["PRAGMA defer_foreign_keys", "defer_foreign_keys", false, "anywhere"],
  ];
  for (const [sql, name, writes, place] of pragmas) {
    it(`reads ${sql}`, () => assert.deepEqual(analyse(sql).pragma, { name, writes, place }));
  }
});

describe("analyse() of placeholders", () => {
  const cases: readonly [
    sql: string,
    indexes: readonly number[],
    names: readonly (string | undefined)[],
  ][] = [
    ["SELECT 1, '?', \"?\", ':a' -- ?", [], []],
    ["SELECT ?, ?", [1, 2], [undefined, undefined]],
    ["SELECT ?2, ?, ?1", [2, 3, 1], [undefined, undefined, undefined]],
    ["SELECT ?3, ?", [3, 4], [undefined, undefined, undefined, undefined]],
    ["SELECT :a, ?, @a, $a, :a", [1, 2, 3, 4, 1], ["a", undefined, "a", "a"]],
    ["SELECT :a, ?2, ?", [1, 2, 3], ["a", undefined, undefined]],
    ["SELECT ?2, :a, ?3", [2, 3, 3], [undefined, undefined, "a"]],
    ["SELECT ?01, ?1", [1, 1], [undefined]],
    ["SELECT $a::b(c), $a, :1", [1, 2, 3], ["a::b(c)", "a", "1"]],
  ];
  for (const [sql, indexes, names] of cases) {
    it(`numbers those of ${sql}`, () => {
      const analysis = analyse(sql);
      assert.deepEqual(analysis.placeholders.map(({ index }) => index), indexes);
      assert.deepEqual(analysis.names, names);
      assert.equal(analysis.parameterCount, names.length);
    });
  }

  it("gives offsets in the text", () => {
    const { text, placeholders } = analyse("/* ? */ SELECT /**/ :a;");
    const [one] = placeholders;
    assert.equal(text.slice(one?.start, one?.end), ":a");
  });
});

describe("analyse() of what is wrong", () => {
  const cases: readonly [sql: string, problem: string | undefined][] = [
    ["SELECT 1", undefined],
    ["SELECT 'a", "the string that begins at line 1, column 8 is not closed"],
    ["SELECT [a", "the quoted name that begins at line 1, column 8 is not closed"],
    ["SELECT 1\0", "it holds a NUL character, at which SQLite would stop reading"],
    ["SELECT '\ud800'", "it holds half of a surrogate pair, which UTF-8 cannot express"],
    ["SELECT 1a", '"1a" at line 1, column 8 is not SQL'],
    ["SELECT ?0", "the placeholder ?0 is not between ?1 and ?32766"],
    ["SELECT ?99999999999", "the placeholder ?99999999999 is not between ?1 and ?32766"],
    ["SELECT ?32766, ?", "it has more than 32766 parameters"],
  ];
  for (const [sql, problem] of cases) {
    it(`says so of ${JSON.stringify(sql)}`, () => assert.equal(analyse(sql).problem, problem));
  }

  it("counts statements", () => {
    assert.equal(analyse("SELECT 1; SELECT 2; -- SELECT 3").statements, 2);
    assert.equal(analyse("SELECT ';'; ;").statements, 1);
    assert.equal(analyse("CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT 1; END").statements, 1);
    assert.equal(analyse("-- a").statements, 0);
  });

  it("answers the same text from its cache", () => {
    assert.equal(analyse("SELECT 'cached'"), analyse("SELECT 'cached'"));
    const long = `SELECT '${"x".repeat(1_000_000)}'`;
    assert.equal(analyse(long).text, long);
  });
});
