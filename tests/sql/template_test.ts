import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import { literal } from "../../src/sql/literal.ts";
import { sql } from "../../src/sql/template.ts";

describe("sql``", () => {
  it("binds values", () => {
    assert.deepEqual(sql`SELECT ${1}, ${"a'; DROP TABLE t"}, ${null}`, {
      sql: "SELECT ?, ?, ?",
      params: [1, "a'; DROP TABLE t", null],
    });
  });

  it("nests fragments, with their values in order", () => {
    const where = sql`a = ${2} AND b = ${3}`;
    assert.deepEqual(sql`SELECT ${1} WHERE ${where} OR ${sql`c = ${4}`}`, {
      sql: "SELECT ? WHERE a = ? AND b = ? OR c = ?",
      params: [1, 2, 3, 4],
    });
  });

  it("takes bytes and dates for values", () => {
    const params = [new Uint8Array(1), new Date(0)] as const;
    assert.deepEqual(sql`SELECT ${params[0]}, ${params[1]}`, { sql: "SELECT ?, ?", params });
  });

  it("takes text without values", () => {
    assert.deepEqual(sql`SELECT 'a\n'`, { sql: "SELECT 'a\n'", params: [] });
  });

  it("holds as many values as there are", () => {
    const many = sql.list(Array.from({ length: 200_000 }, (_, i) => i));
    assert.equal(sql`SELECT ${many}`.params.length, 200_000);
  });
});

describe("sql.id()", () => {
  it("quotes", () => {
    assert.deepEqual(sql.id("a"), { sql: '"a"', params: [] });
    assert.equal(sql.id("main", 'a"b; --').sql, '"main"."a""b; --"');
  });

  it("refuses what is no name", () => {
    assert.throws(() => sql.id(), { name: "TypeError" });
    assert.throws(() => sql.id("a", ""), { name: "TypeError" });
    assert.throws(() => sql.id(1 as unknown as string), { name: "TypeError" });
    assert.throws(() => sql.id("a\0"), { name: "RangeError" });
    assert.throws(() => sql.id("\ud800"), { name: "RangeError" });
  });
});

describe("sql.list()", () => {
  it("makes placeholders", () => {
    assert.deepEqual(sql.list([1, "a", sql`lower(${"B"})`]), {
      sql: "?, ?, lower(?)",
      params: [1, "a", "B"],
    });
  });

  it("refuses an empty list", () => {
    assert.throws(() => sql.list([]), {
      name: "RangeError",
      message: "Cannot make a list of no values as SQL has no empty list: test for it first",
    });
  });
});

describe("sql.join() and sql.raw()", () => {
  it("joins by commas, or as told", () => {
    const parts = [sql`a = ${1}`, sql.raw("b IS NULL")];
    assert.deepEqual(sql.join(parts), { sql: "a = ?, b IS NULL", params: [1] });
    assert.deepEqual(sql.join(parts, " AND "), { sql: "a = ? AND b IS NULL", params: [1] });
    assert.deepEqual(sql.join([]), { sql: "", params: [] });
  });

  it("refuse what is no fragment and no text", () => {
    assert.throws(() => sql.join([1 as unknown as never]), { name: "TypeError" });
    assert.throws(() => sql.raw(1 as unknown as string), { name: "TypeError" });
  });
});

describe("literal()", () => {
  const cases: readonly [value: string | Uint8Array, text: string, type: string][] = [
    ["", "''", "text"],
    ["it's -- 'x'", "'it''s -- ''x'''", "text"],
    ["a\0b", "CAST(x'610062' AS TEXT)", "text"],
    [new Uint8Array([0, 15, 255]), "x'000fff'", "blob"],
    [new Uint8Array([1, 2, 3, 4]).subarray(1, 3), "x'0203'", "blob"],
    [new Uint8Array(), "x''", "blob"],
  ];
  for (const [value, text, type] of cases) {
    it(`writes ${text}`, () => {
      assert.equal(literal(value), text);
      const db = new DatabaseSync(":memory:");
      const row = db.prepare(`SELECT typeof(${text}) AS type`).get();
      db.close();
      assert.equal(row?.type, type);
    });
  }
});
