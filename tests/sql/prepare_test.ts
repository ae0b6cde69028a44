import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import { ProgrammingError } from "../../src/errors.ts";
import { analyse } from "../../src/sql/analyse.ts";
import { type Statement, statementOf } from "../../src/sql/statement.ts";
import { prepare } from "../../src/sql/prepare_frozen.ts";
import type { WireParam } from "../../src/sql/prepare.ts";
import { sql } from "../../src/sql/template.ts";

const now = new Date("2024-02-29T23:05:06.789Z");

/** As a caller without types may get it wrong. */
function prepared(statement: unknown): { sql: string; params: readonly WireParam[] } {
  const { sql, params } = prepare(statement as Statement, { now });
  return { sql, params };
}

describe("prepare() takes", () => {
  const date = new Date("2024-01-02T03:04:05.006Z");
  const cases: readonly [
    what: string,
    statement: unknown,
    sql: string,
    params: readonly WireParam[],
  ][] = [
    ["text", "SELECT 1", "SELECT 1", []],
    ["text to clean", " SELECT 1; -- a", "SELECT 1", []],
    ["nothing", " -- a", "", []],
    ["a list", { sql: "SELECT ?, ?", params: [1, "a"] }, "SELECT ?, ?", [1, "a"]],
    ["an empty list", { sql: "SELECT 1", params: [] }, "SELECT 1", []],
    ["an empty object", { sql: "SELECT 1", params: {} }, "SELECT 1", []],
    ["no params", { sql: "SELECT 1", params: undefined }, "SELECT 1", []],
    ["names", { sql: "SELECT :b, @a, $b", params: { a: 1, b: 2 } }, "SELECT :b, @a, $b", [2, 1, 2]],
    ["names with prefix", { sql: "SELECT :a, @a", params: { ":a": 1, "@a": 2 } }, "SELECT :a, @a", [
      1,
      2,
    ]],
    ["a name twice", ["SELECT :a, :a", { a: 1 }], "SELECT :a, :a", [1]],
    [
      "odd names",
      ["SELECT :__proto__, $a::b(c)", JSON.parse('{"__proto__":1,"a::b(c)":2}')],
      "SELECT :__proto__, $a::b(c)",
      [1, 2],
    ],
    ["a tuple", ["SELECT ?, ?", 1, null], "SELECT ?, ?", [1, null]],
    ["a tuple with names", ["SELECT :a", { a: 1 }], "SELECT :a", [1]],
    ["a fragment", sql`SELECT ${1}, ${"a"}`, "SELECT ?, ?", [1, "a"]],
    ["numbered placeholders", ["SELECT ?2, ?1, ?2", 1, 2], "SELECT ?2, ?1, ?2", [1, 2]],
    ["skipped numbers", ["SELECT ?3", 1, 2, 3], "SELECT ?3", [1, 2, 3]],
    ["numbers", ["SELECT ?, ?, ?", 1.5, -0, 1e300], "SELECT ?, ?, ?", [1.5, -0, 1e300]],
    ["64-bit integers", ["SELECT ?, ?", 2n ** 63n - 1n, -(2n ** 63n)], "SELECT ?, ?", [
      2n ** 63n - 1n,
      -(2n ** 63n),
    ]],
    ["booleans", ["SELECT ?, ?", true, false], "SELECT ?, ?", [true, false]],
    ["dates", ["SELECT ?", date], "SELECT ?", ["2024-01-02T03:04:05.006Z"]],
    ["text with NUL", ["SELECT ?", "a\0b"], "SELECT ?", ["a\0b"]],
    ["surrogate pairs", ["SELECT ?", "\ud83d\ude00"], "SELECT ?", ["\ud83d\ude00"]],
    ["bytes", ["SELECT ?", new Uint8Array([0, 255])], "SELECT x'00ff'", []],
    ["no bytes", ["SELECT ?", new Uint8Array()], "SELECT x''", []],
    ["a buffer", ["SELECT ?", new Uint8Array([1]).buffer], "SELECT x'01'", []],
    [
      "a view",
      ["SELECT ?", new DataView(new Uint8Array([1, 2, 3]).buffer, 1, 1)],
      "SELECT x'02'",
      [],
    ],
    ["bytes among others", ["SELECT ?, ?, ?", 1, new Uint8Array([2]), 3], "SELECT ?, x'02', ?3", [
      1,
      null,
      3,
    ]],
    ["bytes by number", ["SELECT ?2, ?1, ?2", 1, new Uint8Array([2])], "SELECT x'02', ?1, x'02'", [
      1,
    ]],
    [
      "bytes by name",
      ["SELECT :b, :a, @c", { a: 1, b: new Uint8Array(), c: 3 }],
      "SELECT x'', ?2, @c",
      [null, 1, 3],
    ],
    [
      "names that keep their numbers",
      ["SELECT :a, :b, :a", { a: 1, b: new Uint8Array() }],
      "SELECT :a, x'', :a",
      [1],
    ],
    [
      "bytes behind a word",
      ["SELECT 1 WHERE 1 AND?", new Uint8Array([1])],
      "SELECT 1 WHERE 1 AND x'01'",
      [],
    ],
    ["bytes before a string", ["SELECT ?'a'", "x'01'"], "SELECT 'x''01''' 'a'", []],
    ["text that looks like bytes", ["SELECT ?", "x'41'"], "SELECT 'x''41'''", []],
    [
      "such text with blanks",
      ["SELECT ?", "\u3000\u0085 X'aB'\n"],
      "SELECT '\u3000\u0085 X''aB''\n'",
      [],
    ],
    [
      "text that does not look like bytes",
      ["SELECT ?, ?, ?", "x'4'", "x'41", "y'41'"],
      "SELECT ?, ?, ?",
      ["x'4'", "x'41", "y'41'"],
    ],
    ["placeholders in strings as text", ["SELECT '?', ?", 1], "SELECT '?', ?", [1]],
  ];
  for (const [what, statement, sql, params] of cases) {
    it(what, () => assert.deepEqual(prepared(statement), { sql, params }));
  }

  it("the most parameters there may be", () => {
    const list = Array.from({ length: 32766 }, (_, i) => i);
    const text = `SELECT 1 WHERE 1 IN (${list.map(() => "?").join(",")})`;
    assert.deepEqual(prepared({ sql: text, params: list }).params, list);
  });

  it("a statement as it is when nothing changes", () => {
    const { analysis, sql } = prepare(["SELECT ?", 1], { now });
    assert.equal(sql, analysis.text);
    assert.equal(analysis, analyse("SELECT ?"));
  });
});

describe("prepare() means what SQLite would", () => {
  const blob = new Uint8Array([1, 2, 3]);
  const cases: readonly Statement[] = [
    ["SELECT ? AS a, ? AS b, ? AS c, ? AS d", 1, blob, "x'41'", null],
    ["SELECT ?3, ?, ?1, ?2", 1, blob, "x'41'", "a"],
    ["SELECT :a, $b, :a, @c", { a: blob, b: "b", c: " x'41' " }],
    ["SELECT ?2||?1, typeof(?2), ?", "a", "x'41'", 1],
    ["SELECT ?'alias', ?-?", "x'0a'", 5, 3],
  ];
  for (const statement of cases) {
    it(JSON.stringify(statement), () => {
      const [text, ...params] = statement as [string, ...never[]];
      const db = new DatabaseSync(":memory:");
      const original = db.prepare(text).all(...params);
      const { sql, params: rest } = prepared(statement);
      const numbered = Object.fromEntries(
        analyse(sql).placeholders.map((
          { start, end, index },
        ) => [sql.slice(start, end), rest[index - 1]]),
      );
      const named = Object.keys(numbered).some((name) => !name.startsWith("?"));
      const again = db.prepare(sql).all(...(named ? [numbered] : rest) as never[]);
      db.close();
      assert.deepEqual(
        again.map((row) => Object.values(row)),
        original.map((row) => Object.values(row)),
      );
    });
  }
});

describe("prepare() refuses values that do not match", () => {
  const blob = new Uint8Array(1);
  const cases: readonly [statement: unknown, message: string][] = [
    ["SELECT ?", "Cannot bind 0 values as the statement has 1 placeholder"],
    [["SELECT ?, ?", 1], "Cannot bind 1 value as the statement has 2 placeholders"],
    [["SELECT ?", 1, 2], "Cannot bind 2 values as the statement has 1 placeholder"],
    [["SELECT 1", 1], "Cannot bind 1 value as the statement has 0 placeholders"],
    [["SELECT ?3", 1], "Cannot bind 1 value as the statement has 3 placeholders"],
    [["-- ?", 1], "Cannot bind 1 value as the statement has 0 placeholders"],
    ["SELECT :a, @b", "Cannot run the statement without values for :a, @b"],
    [["SELECT :a", {}], "Cannot run the statement without values for :a"],
    [["SELECT :a, $b", { a: 1 }], "Cannot run the statement without values for $b"],
    [["SELECT :a", { A: 1 }], "Cannot run the statement without values for :a"],
    [["SELECT :toString", {}], "Cannot run the statement without values for :toString"],
    [
      ["SELECT :a", { a: 1, b: 2, c: 3 }],
      "Cannot bind b, c as the statement has no such parameters",
    ],
    [["SELECT :a", { a: 1, "@a": 2 }], "Cannot bind @a as the statement has no such parameter"],
    [["SELECT 1", { a: 1 }], "Cannot bind a as the statement has no such parameter"],
    [
      ["SELECT :a", 1],
      "Cannot bind a list as the statement names its parameters :a: give an object of names",
    ],
    [
      ["SELECT ?", { a: 1 }],
      "Cannot bind an object of names as the statement has ? placeholders: give a list",
    ],
    [["SELECT ?", {}], "Cannot bind 0 values as the statement has 1 placeholder"],
    [
      ["SELECT ?, :a", 1, 2],
      "Cannot bind values as the statement mixes ? with :a: use one of the two",
    ],
    [
      ["SELECT ?, :a", { a: 1 }],
      "Cannot bind values as the statement mixes ? with :a: use one of the two",
    ],
    [
      ["SELECT ?0", blob],
      "Cannot send the statement as the placeholder ?0 is not between ?1 and ?32766",
    ],
    [
      { sql: "SELECT 1", params: new Array(32767).fill(1) },
      "Cannot bind 32767 parameters as SQLite takes at most 32766",
    ],
    [
      { sql: `SELECT ${"?,".repeat(32767)}1`, params: new Array(32766).fill(1) },
      "Cannot send the statement as it has more than 32766 parameters",
    ],
  ];
  for (const [statement, message] of cases) {
    it(message, () => {
      assert.throws(() => prepare(statement as Statement, { now, statementIndex: 3 }), (error) => {
        assert.ok(error instanceof ProgrammingError);
        assert.equal(error.message, message);
        assert.equal(error.code, "ERR_PROGRAMMING");
        assert.equal(error.statementIndex, 3);
        const { sql } = typeof statement === "string"
          ? { sql: statement }
          : Array.isArray(statement)
          ? { sql: statement[0] }
          : statement as { sql: string };
        assert.equal(error.sql, sql);
        return true;
      });
    });
  }
});

describe("prepare() refuses values that cannot be bound", () => {
  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  const surrogate =
    "Cannot bind parameter 1 as its text holds half of a surrogate pair: bind bytes, or toWellFormed()";
  const ranges: readonly [value: unknown, message: string][] = [
    [NaN, "Cannot bind parameter 1 as NaN is not a number SQLite can store"],
    [Infinity, "Cannot bind parameter 1 as Infinity is not a number SQLite can store"],
    [-Infinity, "Cannot bind parameter 1 as -Infinity is not a number SQLite can store"],
    [new Date(NaN), "Cannot bind parameter 1 as it is an invalid Date"],
    [
      2n ** 63n,
      "Cannot bind parameter 1 as it is a bigint of more than 64 bits: bind text",
    ],
    [
      -(2n ** 63n) - 1n,
      "Cannot bind parameter 1 as it is a bigint of more than 64 bits: bind text",
    ],
    ["a\ud800", surrogate],
    ["\udc00a", surrogate],
  ];
  const types: readonly [value: unknown, message: string][] = [
    [undefined, "Cannot bind parameter 1 as it is undefined: bind null for NULL"],
    [() => 1, "Cannot bind parameter 1 as it is a function: call it"],
    [Symbol("a"), "Cannot bind parameter 1 as it is a symbol: bind text"],
    [
      [1],
      "Cannot bind parameter 1 as it is an array: use sql.list() for IN (…), or bind text, such as JSON.stringify() of it",
    ],
    [
      cyclic,
      "Cannot bind parameter 1 as it is an object: bind text, such as JSON.stringify() of it",
    ],
    [
      { toString: () => "a" },
      "Cannot bind parameter 1 as it is an object: bind text, such as JSON.stringify() of it",
    ],
    [
      new Map(),
      "Cannot bind parameter 1 as it is an object of type Map: bind text, such as JSON.stringify() of it",
    ],
    [
      new String("a"),
      "Cannot bind parameter 1 as it is an object of type String: bind text, such as JSON.stringify() of it",
    ],
    [sql`a`, "Cannot bind parameter 1 as it is an object: put fragments together with sql`…`"],
  ];
  const check = (cases: typeof ranges, name: "RangeError" | "TypeError"): void => {
    for (const [value, message] of cases) {
      it(`${name}: ${message}`, () => {
        const statement = { sql: "SELECT ?", params: [value] };
        assert.throws(() => prepared(statement), { name, message });
        const named = { sql: "SELECT :a", params: { a: value } };
        assert.throws(() => prepared(named), {
          name,
          message: message.replace("parameter 1", "parameter :a"),
        });
      });
    }
  };
  check(ranges, "RangeError");
  check(types, "TypeError");

  it("holes of a list", () => {
    assert.throws(() => prepared({ sql: "SELECT ?, ?", params: new Array(2) }), TypeError);
  });
});

describe("prepare() refuses what is no statement", () => {
  const form = "give SQL text, { sql, params } or [sql, ...params]";
  const cases: readonly [statement: unknown, message: string][] = [
    [undefined, `Cannot read undefined as a statement: ${form}`],
    [null, `Cannot read null as a statement: ${form}`],
    [1, `Cannot read a number as a statement: ${form}`],
    [{}, `Cannot read an object as a statement: ${form}`],
    [{ sql: 1 }, `Cannot read an object as a statement: ${form}`],
    [[], "Cannot read a tuple that begins with undefined: begin with SQL text"],
    [[1, "SELECT 1"], "Cannot read a tuple that begins with a number: begin with SQL text"],
    [
      { sql: "SELECT 1", params: null },
      "Cannot bind null as params: give a list, [value], or an object of names",
    ],
    [
      { sql: "SELECT 1", params: 1 },
      "Cannot bind a number as params: give a list, [value], or an object of names",
    ],
    [
      { sql: "SELECT ?", params: new Uint8Array(1) },
      "Cannot bind an object of type Uint8Array as params: give a list, [value], or an object of names",
    ],
    [
      { sql: "SELECT ?", params: new Date() },
      "Cannot bind an object of type Date as params: give a list, [value], or an object of names",
    ],
  ];
  for (const [statement, message] of cases) {
    it(message, () => assert.throws(() => prepared(statement), { name: "TypeError", message }));
  }
});

describe("statementOf()", () => {
  it("puts text and params together", () => {
    assert.deepEqual(statementOf("SELECT ?", [1]), { sql: "SELECT ?", params: [1] });
    assert.equal(statementOf("SELECT 1", undefined), "SELECT 1");
  });

  it("takes a fragment as it is, without further params", () => {
    const fragment = sql`SELECT ${1}`;
    assert.equal(statementOf(fragment, undefined), fragment);
    assert.equal(statementOf(fragment, []), fragment);
    assert.throws(() => statementOf(fragment, [1]), {
      name: "TypeError",
      message: "Cannot take params beside a fragment as it has its own: put them into sql`…`",
    });
  });
});
