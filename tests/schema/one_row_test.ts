import fc from "fast-check";
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import { NO_FACTS } from "../../src/schema/facts.ts";
import { changesOneRow } from "../../src/schema/one_row.ts";
import { factsOf } from "../reads/facts_of.ts";

const SCHEMA = [
  "CREATE TABLE t(id INTEGER PRIMARY KEY, email TEXT UNIQUE, a TEXT NOT NULL DEFAULT 0, b COLLATE NOCASE, " +
  "c TEXT COLLATE NOCASE UNIQUE, UNIQUE(a, b))",
  "CREATE UNIQUE INDEX t_b ON t(b COLLATE BINARY)",
  "CREATE TABLE w(k TEXT PRIMARY KEY, v) WITHOUT ROWID",
  "CREATE TABLE plain(a, b)",
  "CREATE UNIQUE INDEX plain_part ON plain(a) WHERE b > 0",
  "CREATE UNIQUE INDEX plain_expression ON plain(a + b)",
  "CREATE TABLE hidden(rowid, a)",
  "CREATE VIEW seen AS SELECT * FROM t",
];
const facts = factsOf(SCHEMA);

const ONE = [
  "UPDATE t SET a = 1 WHERE id = ?",
  "UPDATE OR REPLACE main.t AS z SET a = 1 WHERE z.id = -1 AND a > 2 RETURNING *",
  'UPDATE "t" SET a = 1 WHERE ("t"."id" = ? and ("t"."a" = ?))',
  "DELETE FROM t WHERE 'x' == email",
  "DELETE FROM [t] WHERE a LIKE 'x' AND c = :c",
  "WITH u AS (SELECT 1) DELETE FROM t WHERE id = 1 AND a IN u",
  "DELETE FROM plain WHERE rowid = 3",
  "DELETE FROM plain WHERE _rowid_ = 3 ORDER BY a LIMIT 2",
  "UPDATE w SET v = 1 WHERE k = x'00' AND (v = 1 OR v = 2)",
  "UPDATE unknown SET v = 1",
  'UPDATE t SET a = 1 WHERE "t"."id" in (?)',
  "UPDATE t SET a = 1 WHERE email IN ('x') AND a = 2",
  "UPDATE t SET a = 1 WHERE id = (SELECT id FROM t WHERE a = 1 ORDER BY b LIMIT 1) RETURNING id",
  "UPDATE t SET a = 1 WHERE id IN (SELECT t.id FROM T WHERE b IS NULL LIMIT 1)",
  "DELETE FROM t WHERE id = (SELECT max(id) FROM t WHERE a IN (SELECT a FROM w WHERE v = b))",
];
const MORE = [
  "UPDATE t SET a = 1",
  "UPDATE t SET a = 1 WHERE id",
  "UPDATE t SET a = 1 WHERE id = id",
  "UPDATE t SET a = 1 WHERE id = a",
  'UPDATE t SET a = 1 WHERE id = "a"',
  "UPDATE t SET a = 1 WHERE id = ? OR a = 1",
  "UPDATE t SET a = 1 WHERE id > ?",
  "UPDATE t SET a = 1 WHERE id IS ?",
  "UPDATE t SET a = 1 WHERE id = ? + a",
  "UPDATE t SET a = 1 WHERE NOT id = ?",
  "UPDATE t SET a = 1 WHERE a BETWEEN 1 AND id = 5",
  "UPDATE t SET a = 1 WHERE CASE WHEN a AND id = 5 AND b THEN 1 ELSE 1 END",
  "UPDATE t SET a = 1 WHERE (id = ? OR 1)",
  "UPDATE t SET a = 1 WHERE (SELECT id = 5)",
  "UPDATE t SET a = 1 WHERE id = 5 IS NULL",
  "UPDATE t SET a = 1 WHERE email = 'x' COLLATE NOCASE",
  "UPDATE t SET a = 1 WHERE b = 'x'",
  "UPDATE t SET a = 1 WHERE a = 1 AND b = 2",
  "UPDATE t SET a = 1 WHERE a = 1",
  "UPDATE t SET a = 1 FROM w WHERE t.id = 1",
  "UPDATE t SET a = (SELECT 1 WHERE id = 1)",
  "DELETE FROM plain WHERE a = 1",
  "DELETE FROM plain WHERE a = 1 AND b = 1",
  "DELETE FROM hidden WHERE rowid = 1",
  "DELETE FROM w WHERE rowid = 1",
  "DELETE FROM seen WHERE id = 1",
  "UPDATE t SET a = 1 WHERE id IN (?, ?)",
  "UPDATE t SET a = 1 WHERE id NOT IN (1)",
  "UPDATE t SET a = 1 WHERE id IN (id)",
  "UPDATE t SET a = 1 WHERE a IN (1)",
  "UPDATE t SET a = 1 WHERE id IN (1) IS NULL",
  "UPDATE t SET a = 1 WHERE id IN (SELECT id FROM t)",
  "UPDATE t SET a = 1 WHERE id IN (SELECT id FROM t LIMIT 2)",
  "UPDATE t SET a = 1 WHERE id = (SELECT id)",
  "UPDATE t SET a = 1 WHERE id = (SELECT email FROM w WHERE k = email)",
  "UPDATE t AS z SET a = 1 WHERE id = (SELECT id FROM t WHERE id = z.id)",
  "UPDATE t SET a = 1 WHERE id = (SELECT x.id FROM t AS x WHERE x.id = t.id)",
  "UPDATE t SET a = 1 WHERE id = (SELECT x.id FROM t x WHERE x.id = t.id)",
  "UPDATE t SET a = 1 WHERE id = (SELECT max(k) FROM w, t AS x WHERE x.id = t.id)",
  "UPDATE t SET a = 1 WHERE id = (SELECT id FROM t WHERE 0 UNION SELECT id)",
  "WITH t AS (SELECT 1 AS one) UPDATE t SET a = 1 WHERE id = (SELECT id FROM t)",
];

/** What may stand in the place of an operator. */
const INS = ["(1)", "(1, 2)", "(SELECT id FROM t LIMIT 1)", "(SELECT id FROM t)"]
  .map((list) => `IN ${list} AND 1 =`);

describe("changesOneRow()", () => {
  for (const sql of ONE) it(`sees one in ${sql}`, () => assert.ok(changesOneRow(sql, facts)));
  for (const sql of MORE) {
    it(`sees no limit in ${sql}`, () => assert.ok(!changesOneRow(sql, facts)));
  }

  it("knows nothing where the schema may not be read", () => {
    assert.ok(!changesOneRow("UPDATE t SET a = 1 WHERE id = 1", NO_FACTS));
  });

  it("is right about every condition that is made of these parts", () => {
    const database = new DatabaseSync(":memory:");
    for (const sql of SCHEMA) database.exec(sql);
    for (let i = 0; i < 24; i++) {
      const [a, text] = [`${i % 3}`, ["x", "X", "y", "Y"][i % 4]! + Math.floor(i / 4)];
      database.prepare("INSERT OR IGNORE INTO t VALUES(?, ?, ?, ?, ?)")
        .run(
          i,
          i % 5 === 0 ? null : text,
          a,
          i % 7 === 0 ? null : text,
          i % 5 === 1 ? null : `c${i}`,
        );
      database.prepare("INSERT OR IGNORE INTO w VALUES(?, ?)").run(text, a);
      database.exec(`INSERT INTO plain VALUES(${i % 3}, ${-i * 10})`);
    }
    const part = fc.tuple(
      fc.constantFrom(..."id email a b c k v rowid t.id z.a".split(" ")),
      fc.constantFrom(
        "=",
        "=",
        "=",
        "==",
        ...INS,
        "IS",
        ">",
        "<>",
        "LIKE",
        "IS NOT",
      ),
      fc.constantFrom(
        "1",
        "'1'",
        "'x1'",
        "'X1'",
        "NULL",
        "id",
        "-1",
        "x'31'",
        "'c7' COLLATE NOCASE",
        "'C7'",
        "1.0",
        "(SELECT max(id) FROM t)",
        "(SELECT id FROM t WHERE id = z.id)",
        "(SELECT id FROM t ORDER BY a LIMIT 1)",
        "(SELECT k FROM w WHERE k = email)",
      ),
    ).map((parts) => parts.join(" "));
    const { condition } = fc.letrec<{ condition: string }>((tie) => ({
      condition: fc.oneof(
        { maxDepth: 3 },
        part,
        fc.tuple(
          fc.constantFrom(
            "# AND #",
            "# AND #",
            "# OR #",
            "(#)",
            "(# AND #)",
            "NOT #",
            "# BETWEEN 0 AND #",
          ),
          tie("condition"),
          tie("condition"),
        ).map(([form, ...given]) => form.replaceAll("#", () => given.shift() ?? "1")),
      ),
    }));
    const target = fc.constantFrom("t", "t AS z", "w", "plain");
    let known = 0;
    fc.assert(
      fc.property(target, condition, (table, where) => {
        const sql = `DELETE FROM ${table} WHERE ${where}`;
        if (!changesOneRow(sql, facts)) return;
        database.exec("BEGIN");
        try {
          assert.ok(Number(database.prepare(sql).run().changes) <= 1, sql);
          known++;
        } catch (error) {
          assert.match(String(error), /no such column|ambiguous/);
        } finally {
          database.exec("ROLLBACK");
        }
      }),
      { seed: 20261130, numRuns: 4000 },
    );
    database.close();
    assert.ok(known > 150, `${known} conditions were looked at`);
  });
});
