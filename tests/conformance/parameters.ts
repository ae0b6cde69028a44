// Which values go to which placeholders, and what is refused before anything is sent.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Params, sql, type Statement } from "../../mod.ts";
import { freshTable, recorded, thrownBy, type Topic } from "./target.ts";

export const parameters: Topic = (target) => {
  accepted(target);
  mismatches(target);
  unstorable(target);
};

const accepted: Topic = (target) => {
  const cases: readonly [text: string, params: Params, row: readonly unknown[]][] = [
    ["SELECT ?, ?", [1, "b"], [1, "b"]],
    ["SELECT ?2, ?1", [1, "b"], ["b", 1]],
    ["SELECT ?3, ?", [1, 2, 3, 4], [3, 4]],
    ["SELECT ?, ?1, ?", [1, 2], [1, 1, 2]],
    ["SELECT ?2, ?, ?1", [1, 2, 3], [2, 3, 1]],
    ["SELECT :a, :b, :a", { a: 1, b: 2 }, [1, 2, 1]],
    ["SELECT :b, :a", { a: 1, b: 2 }, [2, 1]],
    ["SELECT @a, $b", { a: 1, b: 2 }, [1, 2]],
    ["SELECT :a, @b, $c", { ":a": 1, "@b": 2, "$c": 3 }, [1, 2, 3]],
    ["SELECT :a, @a, $a", { a: 1 }, [1, 1, 1]],
    ["SELECT :a, @a", { ":a": 1, "@a": 2 }, [1, 2]],
    ["SELECT :größe, :_x, :a1", { "größe": 1, _x: 2, a1: 3 }, [1, 2, 3]],
    ["SELECT $a::b(c)", { "$a::b(c)": 1 }, [1]],
    ["SELECT ':no', \"@no\" AS x, ? -- ?\n/* :no */", [1], [":no", "@no", 1]],
    ["SELECT :a", { a: null }, [null]],
    ["SELECT :__proto__", JSON.parse('{"__proto__": 1}') as Params, [1]],
    ["SELECT 1", [], [1]],
    ["SELECT 1", {}, [1]],
    ["SELECT ? || ?2", ["x'41'", "b"], ["x'41'b"]],
    ["SELECT typeof(?2), ?1, ?3", [1, new Uint8Array(3), "c"], ["blob", 1, "c"]],
    ["SELECT :b, length(:a), :b", { a: new Uint8Array(3), b: 2 }, [2, 3, 2]],
  ];
  describe("placeholders", () => {
    for (const [text, params, row] of cases) {
      it(`${JSON.stringify(text)} takes ${JSON.stringify(params)}`, async () => {
        const { rows } = await target().db.query<unknown>(text, params, { rows: "array" });
        assert.deepEqual(rows, [row]);
      });
    }

    it("take values in writes, and in each form of a statement", async () => {
      const { db } = target();
      const table = await freshTable(target(), "a, b");
      await db.execute(`INSERT INTO ${table} VALUES(?, ?)`, [1, "é"]);
      await db.execute(`INSERT INTO ${table} VALUES(:a, :b)`, { b: "b", a: 2 });
      await db.execute(sql`INSERT INTO ${sql.id(table)} VALUES(${3}, ${"x'41'"})`);
      const statements: Statement[] = [
        `INSERT INTO ${table} VALUES(4, 'plain')`,
        sql`INSERT INTO ${sql.id(table)} VALUES(${5}, ${"fragment"})`,
        { sql: `INSERT INTO ${table} VALUES(?, ?)`, params: [6, "object"] },
        { sql: `INSERT INTO ${table} VALUES($a, $b)`, params: { a: 7, b: "names" } },
        [`INSERT INTO ${table} VALUES(?, ?)`, 8, "tuple"],
        [`INSERT INTO ${table} VALUES(@a, @b)`, { a: 9, b: "tuple of names" }],
      ];
      await db.batch(statements);
      const { rows } = await db.query<unknown>(`SELECT a, b FROM ${table} ORDER BY a`, [], {
        rows: "array",
      });
      assert.deepEqual(rows, [
        [1, "é"],
        [2, "b"],
        [3, "x'41'"],
        [4, "plain"],
        [5, "fragment"],
        [6, "object"],
        [7, "names"],
        [8, "tuple"],
        [9, "tuple of names"],
      ]);
    });

    it("take the lists and identifiers of sql``", async () => {
      const { db } = target();
      const table = await freshTable(target(), '"odd ""name""", b');
      const name = sql.id('odd "name"');
      await db.execute(sql`INSERT INTO ${sql.id(table)}(${name}, b) VALUES(${1}, ${"x"})`);
      const list = sql.list([1, 2, 3]);
      const found = await db.query(sql`SELECT b FROM ${sql.id(table)} WHERE ${name} IN (${list})`);
      assert.deepEqual(found.rows, [{ b: "x" }]);
    });
  });
};

const mismatches: Topic = (target) => {
  const cases: readonly [text: string, params: Params | undefined, message: string][] = [
    ["SELECT ?, ?", [1], "Cannot bind 1 value as the statement has 2 placeholders"],
    ["SELECT ?", undefined, "Cannot bind 0 values as the statement has 1 placeholder"],
    ["SELECT ?", [], "Cannot bind 0 values as the statement has 1 placeholder"],
    ["SELECT ?", [1, 2], "Cannot bind 2 values as the statement has 1 placeholder"],
    ["SELECT 1", [1], "Cannot bind 1 value as the statement has 0 placeholders"],
    ["SELECT ?3", [1], "Cannot bind 1 value as the statement has 3 placeholders"],
    ["SELECT :a", undefined, "Cannot run the statement without values for :a"],
    ["SELECT :a, @b", { a: 1 }, "Cannot run the statement without values for @b"],
    ["SELECT :a", { a: 1, c: 2 }, "Cannot bind c as the statement has no such parameter"],
    ["SELECT 1", { a: 1 }, "Cannot bind a as the statement has no such parameter"],
    [
      "SELECT :a",
      { a: 1, c: 2, d: 3 },
      "Cannot bind c, d as the statement has no such parameters",
    ],
    ["SELECT :a", { toString: 1 }, "Cannot run the statement without values for :a"],
    ["SELECT :toString", {}, "Cannot run the statement without values for :toString"],
    [
      "SELECT :a",
      [1],
      "Cannot bind a list as the statement names its parameters :a: give an object of names",
    ],
    [
      "SELECT ?",
      { a: 1 },
      "Cannot bind an object of names as the statement has ? placeholders: give a list",
    ],
    [
      "SELECT ?, :a",
      [1, 2],
      "Cannot bind values as the statement mixes ? with :a: use one of the two",
    ],
    [
      "SELECT ?, :a",
      { a: 1 },
      "Cannot bind values as the statement mixes ? with :a: use one of the two",
    ],
  ];
  describe("parameters that do not match are a ProgrammingError", () => {
    for (const [text, params, message] of cases) {
      it(`${text} with ${JSON.stringify(params)}`, async () => {
        const { db, sent } = recorded(target());
        for (const call of [db.query(text, params), db.execute(text, params)]) {
          await assert.rejects(call, { name: "ProgrammingError", message, sql: text });
        }
        const batch = db.batch(["SELECT 1", { sql: text, ...(params && { params }) }]);
        await assert.rejects(batch, { name: "ProgrammingError", message, statementIndex: 1 });
        assert.equal(sent.length, 0);
      });
    }

    it("more than 32766", async () => {
      const { db, sent } = recorded(target());
      const params = new Array<number>(32_767).fill(1);
      const text = `SELECT ${params.map(() => "?").join()}`;
      await assert.rejects(db.query(text, params), { name: "ProgrammingError", message: /32766/ });
      assert.equal(sent.length, 0);
    });

    it("params beside a fragment, which has its own", async () => {
      const { db, sent } = recorded(target());
      await assert.rejects(db.query(sql`SELECT ${1}`, [2]), /fragment/);
      assert.equal(sent.length, 0);
    });
  });
};

class Custom {
  value = 1;
}

const unstorable: Topic = (target) => {
  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  const cases: readonly [what: string, value: unknown, name: string, message: string][] = [
    ["undefined", undefined, "TypeError", "it is undefined: bind null for NULL"],
    ["NaN", NaN, "RangeError", "NaN is not a number SQLite can store"],
    ["Infinity", Infinity, "RangeError", "Infinity is not a number SQLite can store"],
    ["-Infinity", -Infinity, "RangeError", "-Infinity is not a number SQLite can store"],
    ["an invalid Date", new Date(NaN), "RangeError", "it is an invalid Date"],
    ["2^63", 2n ** 63n, "RangeError", "it is a bigint of more than 64 bits: bind text"],
    [
      "-2^63-1",
      -(2n ** 63n) - 1n,
      "RangeError",
      "it is a bigint of more than 64 bits: bind text",
    ],
    [
      "half of a surrogate pair",
      "secret \ud800",
      "RangeError",
      "its text holds half of a surrogate pair: bind bytes, or toWellFormed()",
    ],
    ["a function", () => 1, "TypeError", "it is a function: call it"],
    ["a symbol", Symbol("s"), "TypeError", "it is a symbol: bind text"],
    [
      "a cyclic object",
      cyclic,
      "TypeError",
      "it is an object: bind text, such as JSON.stringify() of it",
    ],
    [
      "an object of a class",
      new Custom(),
      "TypeError",
      "it is an object: bind text, such as JSON.stringify() of it",
    ],
    [
      "an array",
      [1, 2],
      "TypeError",
      "it is an array: use sql.list() for IN (…), or bind text, such as JSON.stringify() of it",
    ],
    ["a promise", Promise.resolve(1), "TypeError", "it is a promise: await it"],
    [
      "a Map",
      new Map(),
      "TypeError",
      "it is an object of type Map: bind text, such as JSON.stringify() of it",
    ],
    [
      "a fragment",
      sql`SELECT ${1}`,
      "TypeError",
      "it is an object: put fragments together with sql`…`",
    ],
  ];
  describe("a value that SQLite cannot store", () => {
    for (const [what, value, name, reason] of cases) {
      it(`${what} is a ${name}, and nothing is sent`, async () => {
        const { db, sent } = recorded(target());
        const list = [1, value] as Params;
        const record = { a: value } as Params;
        const calls: [Promise<unknown>, number | string][] = [
          [db.query("SELECT ?, ?", list), 2],
          [db.execute("INSERT INTO nope VALUES(?, ?)", list), 2],
          [db.query("SELECT :a", record), ":a"],
          [db.batch(["SELECT 1", { sql: "SELECT @a", params: record }]), "@a"],
        ];
        for (const [call, parameter] of calls) {
          const error = await thrownBy(call);
          assert.equal(error.name, name);
          assert.equal(error.message, `Cannot bind parameter ${parameter} as ${reason}`);
        }
        assert.equal(sent.length, 0);
      });
    }

    it("params that are neither a list nor an object of names are a TypeError", async () => {
      const { db, sent } = recorded(target());
      for (const params of [1, "a", null, new Date(), new Uint8Array(1), new Map(), Symbol("s")]) {
        await assert.rejects(db.query("SELECT ?", params as unknown as Params), {
          name: "TypeError",
        });
      }
      assert.equal(sent.length, 0);
    });

    it("a statement of another form is a TypeError", async () => {
      const { db, sent } = recorded(target());
      for (const statement of [1, null, undefined, {}, [], [1], { sql: 1 }]) {
        const call = db.batch([statement as unknown as Statement]);
        assert.equal((await thrownBy(call)).name, "TypeError");
      }
      for (const text of [1, null, undefined, {}]) {
        assert.equal((await thrownBy(db.query(text as unknown as string))).name, "TypeError");
        assert.equal((await thrownBy(db.execute(text as unknown as string))).name, "TypeError");
      }
      for (const list of [undefined, null, 5, "SELECT 1", {}]) {
        const call = db.batch(list as unknown as Statement[]);
        assert.equal((await thrownBy(call)).name, "TypeError", String(list));
      }
      assert.equal(sent.length, 0);
    });
  });
};
