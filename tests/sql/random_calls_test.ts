import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { NotSupportedError } from "../../src/errors.ts";
import { analyse } from "../../src/sql/analyse.ts";
import { volatileValuesOf } from "../../src/sql/volatile_values.ts";
import { prepare } from "../../src/sql/prepare_frozen.ts";
import type { RowsServed } from "../../src/sql/random_calls.ts";

/** R stands for a random number; each occurrence serves what the list says. */
const CASES: readonly (readonly [sql: string, ...rows: RowsServed[]])[] = [
  ["INSERT INTO t VALUES(R, hex(R))", "one", "one"],
  ["INSERT INTO t(a) VALUES(R), (R), ((SELECT R))", "one", "one", "one"],
  ["REPLACE INTO t VALUES(CASE WHEN 1 THEN R END)", "one"],
  ["INSERT INTO t VALUES((SELECT a FROM u WHERE b > R))", "many"],
  ["INSERT INTO t VALUES((SELECT R FROM u))", "many"],
  ["INSERT INTO t VALUES(EXISTS(SELECT 1 FROM u WHERE b = R), R)", "many", "one"],
  ["INSERT INTO t SELECT R", "one"],
  ["INSERT INTO t SELECT R WHERE NOT EXISTS (SELECT 1 FROM u)", "one"],
  ["INSERT INTO t SELECT R UNION ALL SELECT R", "one", "one"],
  ["INSERT INTO t SELECT R UNION ALL SELECT R FROM u", "one", "many"],
  ["INSERT INTO t SELECT R FROM u UNION SELECT R", "many", "one"],
  ["INSERT INTO t SELECT a, R FROM u", "many"],
  ["INSERT INTO t SELECT a FROM u WHERE b % 2 = R", "many"],
  ["INSERT INTO t SELECT a, R IS DISTINCT FROM 1", "one"],
  ["INSERT INTO t SELECT *, R FROM (SELECT 1, 2)", "one"],
  ["INSERT INTO t SELECT *, R FROM (SELECT 1 UNION SELECT 2)", "many"],
  ["INSERT INTO t SELECT *, R FROM (VALUES(1))", "one"],
  ["INSERT INTO t SELECT *, R FROM (VALUES(1), (2))", "many"],
  ["INSERT INTO t SELECT *, R FROM (SELECT 1), u", "many"],
  ["INSERT INTO t SELECT * FROM (SELECT R)", "one"],
  ["INSERT INTO t SELECT * FROM (SELECT R FROM u)", "many"],
  ["WITH c AS (SELECT R AS a) INSERT INTO t SELECT a FROM c", "one"],
  ["WITH c AS (SELECT R AS a FROM u) INSERT INTO t SELECT a FROM c", "many"],
  [
    "WITH RECURSIVE c(a) AS (SELECT R UNION ALL SELECT R FROM c) INSERT INTO t SELECT a FROM c",
    "one",
    "many",
  ],
  ["INSERT INTO t VALUES(R) ON CONFLICT(a) DO UPDATE SET b = R RETURNING R", "one", "one", "one"],
  ["INSERT INTO t VALUES(1), (2) ON CONFLICT(a) DO UPDATE SET b = R", "many"],
  ["INSERT INTO t VALUES(1), (2) RETURNING R", "many"],
  ["INSERT INTO t SELECT 1 WHERE true ON CONFLICT(a) DO UPDATE SET b = R", "one"],
  ["INSERT INTO t SELECT 1 UNION SELECT 2 WHERE true ON CONFLICT(a) DO UPDATE SET b = R", "many"],
  ["INSERT INTO t SELECT a FROM u WHERE true ON CONFLICT(a) DO UPDATE SET b = R", "many"],
  ["INSERT INTO t DEFAULT VALUES RETURNING R", "one"],
  ["UPDATE t SET a = R", "changed"],
  [
    "UPDATE t SET a = hex(R), b = (SELECT R) WHERE c = R RETURNING R",
    "changed",
    "changed",
    "changed",
    "changed",
  ],
  ["UPDATE t SET a = (SELECT R FROM u)", "many"],
  ["WITH c AS (SELECT R AS a) UPDATE t SET a = (SELECT a FROM c), b = R", "one", "changed"],
  ["DELETE FROM t WHERE R % 2", "changed"],
  ["DELETE FROM t WHERE a IN (SELECT a FROM u WHERE R)", "many"],
  ["CREATE TABLE x AS SELECT R AS a", "one"],
  ["CREATE TABLE x AS SELECT R AS a FROM u", "many"],
];

describe("analyse() of a write of chance", () => {
  for (const [form, ...rows] of CASES) {
    for (const chance of ["random()", "randomblob(4)"]) {
      const sql = form.replaceAll(
        "R",
        (_, at: number) =>
          /[A-Za-z]/.test(form[at - 1] ?? "") || /[A-Za-z]/.test(form[at + 1] ?? "") ? "R" : chance,
      );
      it(`knows for how many rows each place of ${sql} is`, () => {
        assert.deepEqual(volatileValuesOf(analyse(sql)).map(({ rows }) => rows ?? "one"), rows);
      });
    }
  }
});

describe("prepare() of a write of chance", () => {
  const refused = (sql: string, message: RegExp, oneRow?: boolean) =>
    assert.throws(
      () =>
        prepare(sql, { now: new Date(0), ...(oneRow !== undefined && { oneRow: () => oneRow }) }),
      (error: Error) => {
        assert.ok(error instanceof NotSupportedError);
        assert.match(error.message, message);
        assert.equal(error.sql, sql);
        return true;
      },
    );
  const MANY =
    /^Cannot send random\(\) at line 1, column \d+ of a write as all rows would get the same value: bind values/;
  const CHANGED =
    /all rows would get the same value: name one row in WHERE by its key, or bind values .* in a batch$/;

  it("refuses what one literal would stand in for in many rows", () => {
    refused("INSERT INTO t SELECT a, random() FROM u", MANY, true);
    refused("UPDATE t SET a = random()", CHANGED);
    refused("DELETE FROM t WHERE random() % 2", CHANGED, false);
  });

  it("takes one row that an UPDATE or DELETE is known to change", () => {
    const sql = "UPDATE t SET a = random() WHERE id = 1";
    assert.match(
      prepare(sql, { now: new Date(0), oneRow: () => true }).sql,
      /SET a = \(?-?\d+\)? WHERE/,
    );
  });

  it("leaves chance in reads, and orders of rows", () => {
    const sql = "SELECT a, random() FROM t ORDER BY random()";
    assert.equal(prepare(sql, { now: new Date(0) }).sql, sql);
  });
});
