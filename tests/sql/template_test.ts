import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import { literal } from "../../src/sql/quoting.ts";
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

describe("sql.insert()", () => {
  it("makes columns and placeholders, of an object or of several", () => {
    assert.deepEqual(sql.insert({ a: 1, 'b"; --': sql`lower(${"B"})` }), {
      sql: '("a", "b""; --") VALUES (?, lower(?))',
      params: [1, "B"],
    });
    assert.deepEqual(sql.insert([{ a: 1, b: null }, { b: 4, a: 3 }]), {
      sql: '("a", "b") VALUES (?, ?), (?, ?)',
      params: [1, null, 3, 4],
    });
  });

  it("takes objects of interfaces, and of unknown keys", () => {
    interface Person {
      readonly name: string;
      readonly born: Date | null;
    }
    const person: Person = { name: "Ada", born: null };
    const unknown: Readonly<Record<string, string>> = { a: "b" };
    const either: Person | readonly Person[] = [person];
    assert.equal(sql.insert(person).sql, '("name", "born") VALUES (?, ?)');
    assert.equal(sql.insert(either).params.length, 2);
    assert.equal(sql.insert([unknown, unknown]).params.length, 2);
    assert.equal(sql.set(unknown).sql, '"a" = ?');
  });

  const refused: readonly [what: string, rows: unknown, message: string | RegExp][] = [
    ["an empty list", [], "Cannot insert an empty list of rows: test for it first"],
    ["no keys", {}, "Cannot insert an object without keys: its keys are the columns"],
    ["no keys behind others", [{ a: 1 }, {}], /object without keys/],
    ["a missing key", [{ a: 1, b: 2 }, { a: 1 }], /^Cannot insert row 1 as it lacks b: .*null/],
    ["another key", [{ a: 1 }, { b: 1 }], /^Cannot insert row 1 as it lacks a: /],
    ["one key more", [{ a: 1 }, { a: 1 }, { a: 1, b: 2 }], /^Cannot insert row 2 as it has b, too/],
    [
      "undefined",
      { a: undefined },
      "Cannot bind parameter a as it is undefined: bind null for NULL",
    ],
    [
      "an array for a row",
      [[1, 2]],
      "Cannot insert an array: give an object whose keys are columns",
    ],
    ["nothing", undefined, /Cannot insert undefined: give an object/],
    ["a Map", new Map(), /Cannot insert an object of type Map: give an object/],
    ["a forgotten await", { a: Promise.resolve(1) }, /parameter a .*await/],
  ];
  for (const [what, rows, message] of refused) {
    it(`refuses ${what}`, () => {
      assert.throws(() => sql.insert(rows as never), { name: "TypeError", message });
    });
  }

  it("refuses names that SQLite cannot have", () => {
    assert.throws(() => sql.insert({ "": 1 }), { name: "TypeError" });
    assert.throws(() => sql.insert({ "a\0": 1 }), { name: "RangeError" });
  });
});

describe("sql.set()", () => {
  it("makes assignments", () => {
    assert.deepEqual(sql.set({ a: 1, "b c": sql`a + ${2}` }), {
      sql: '"a" = ?, "b c" = a + ?',
      params: [1, 2],
    });
  });

  it("refuses what has no columns, and undefined", () => {
    for (const values of [{}, [], undefined, null, "a = 1", new Date()]) {
      assert.throws(() => sql.set(values as never), { name: "TypeError", message: /^Cannot set / });
    }
    assert.throws(() => sql.set({ a: undefined as never }), /parameter a .*bind null for NULL/);
  });
});

describe("a fragment", () => {
  const fragments = {
    "sql``": sql`a = ${1}`,
    "sql.id()": sql.id("a"),
    "sql.list()": sql.list([1]),
  };
  for (const [name, fragment] of Object.entries(fragments)) {
    it(`of ${name} throws where it becomes a plain string`, () => {
      const pasted = [
        () => `SELECT ${fragment}`,
        () => "SELECT " + fragment,
        () => [fragment, fragment].join(" AND "),
        () => String(fragment),
        () => fragment.toString(),
      ];
      for (const paste of pasted) {
        assert.throws(paste, { name: "TypeError", message: /plain string.*write sql`…`/ });
      }
    });
  }

  it("is otherwise an object of a text and a list", () => {
    const { fragment } = { fragment: sql`a = ${1}` };
    assert.deepEqual(Object.keys(fragment), ["sql", "params"]);
    assert.equal(JSON.stringify(fragment), '{"sql":"a = ?","params":[1]}');
    assert.deepEqual(structuredClone(fragment), { sql: "a = ?", params: [1] });
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
