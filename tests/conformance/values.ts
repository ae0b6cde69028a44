// Values that go in and come back: exactly, and with the storage class that they should have.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DataError, type IntegerMode, type Param } from "../../mod.ts";
import { freshTable, type Target, thrownBy, type Topic, valueOf } from "./target.ts";

/** Stores a value in a column, and reads it back with its storage class. */
async function roundTrip(
  { db }: Target,
  table: string,
  value: Param,
  integers: IntegerMode = "auto",
): Promise<[value: unknown, type: unknown]> {
  await db.execute(`DELETE FROM ${table}`);
  await db.execute(`INSERT INTO ${table}(v) VALUES(?)`, [value]);
  const { rows } = await db.query(`SELECT v, typeof(v) AS t FROM ${table}`, [], { integers });
  return [rows[0]!.v, rows[0]!.t];
}

const EXACT: readonly bigint[] = [0n, 1n, -1n, 2n ** 53n - 1n, -(2n ** 53n) + 1n];
const LONG: readonly bigint[] = [
  2n ** 53n,
  2n ** 53n + 1n,
  -(2n ** 53n) - 1n,
  2n ** 63n - 1n,
  -(2n ** 63n),
];
const REALS = [0.5, -1.25, 0.1 + 0.2, 1e-7, 5e-324, 1.7976931348623157e308, 1e20, 1e21, 1e300, 2.5];

export const values: Topic = (target) => {
  integers(target);
  reals(target);
  texts(target);
  blobs(target);
  others(target);
  shapes(target);
};

const integers: Topic = (target) => {
  describe("an INTEGER", () => {
    for (const value of [...EXACT, ...LONG]) {
      it(`${value} is exact in every mode`, async () => {
        const table = await freshTable(target(), "v INTEGER");
        await target().db.execute(`INSERT INTO ${table} VALUES(?)`, [value]);
        const read = async (integers: IntegerMode): Promise<unknown> => {
          const { rows } = await target().db.query(`SELECT v FROM ${table}`, [], { integers });
          return rows[0]!.v;
        };
        const long = LONG.includes(value);
        assert.equal(await read("bigint"), value);
        assert.equal(await read("string"), String(value));
        assert.equal(await read("auto"), long ? value : Number(value));
        assert.equal(await valueOf(target().db, `SELECT typeof(v) FROM ${table}`), "integer");
        if (!long) return assert.equal(await read("number"), Number(value));
        const error = await thrownBy(read("number"));
        assert.ok(error instanceof DataError);
        assert.deepEqual([error.column, error.code], ["v", "ERR_DATA"]);
        assert.match(error.message, new RegExp(`Cannot return ${value} of column "v"`));
      });
    }

    it("is exact when it is bound as a number, and -0 is 0", async () => {
      const table = await freshTable(target(), "v INTEGER");
      for (const [bound, stored] of [[2 ** 53, 2n ** 53n], [-(2 ** 62), -(2n ** 62n)], [-0, 0n]]) {
        const read = await roundTrip(target(), table, bound!, "bigint");
        assert.deepEqual(read, [stored, "integer"]);
      }
    });

    it("is an INTEGER in a column without a type", async () => {
      const table = await freshTable(target(), "v");
      assert.deepEqual(await roundTrip(target(), table, 7, "bigint"), [7n, "integer"]);
      assert.deepEqual(await roundTrip(target(), table, 2n ** 60n, "bigint"), [
        2n ** 60n,
        "integer",
      ]);
    });

    it("is exact in a condition", async () => {
      const { db } = target();
      const table = await freshTable(target(), "v INTEGER");
      await db.batch(LONG.map((value) => [`INSERT INTO ${table} VALUES(?)`, value]));
      for (const value of LONG) {
        const sql = `SELECT v FROM ${table} WHERE v = ?`;
        const { rows } = await db.query(sql, [value], { integers: "bigint" });
        assert.deepEqual(rows, [{ v: value }]);
      }
    });

    it("comes out of the client's own mode, and the call's wins", async () => {
      const sql = "SELECT 9007199254740993 AS v, 1 AS w";
      const string = await target().db.query(sql, [], { integers: "string" });
      assert.deepEqual(string.rows, [{ v: "9007199254740993", w: "1" }]);
      await assert.rejects(target().db.query(sql), { name: "DataError", column: "v" });
    });

    it("beyond 64 bits is a REAL", async () => {
      const { rows } = await target().db.query(
        "SELECT 9223372036854775808 AS v, typeof(9223372036854775808) AS t",
        [],
        { integers: "bigint" },
      );
      assert.deepEqual(rows, [{ v: 2 ** 63, t: "real" }]);
    });
  });

  describe("lastInsertId", () => {
    for (const id of [0n, -5n, 42n, -(2n ** 63n), 2n ** 53n + 1n, 2n ** 63n - 1n]) {
      it(`is ${id} after that rowid was inserted`, async () => {
        const { db } = target();
        const safe = BigInt.asIntN(53, id) === id && id !== -(2n ** 52n);
        for (const mode of ["number", "auto", "bigint"] as const) {
          const table = await freshTable(target(), "id INTEGER PRIMARY KEY");
          const { lastInsertId } = await db.execute(`INSERT INTO ${table} VALUES(?)`, [id], {
            integers: mode,
          });
          assert.equal(lastInsertId, safe && mode !== "bigint" ? Number(id) : id);
        }
      });
    }
  });
};

const reals: Topic = (target) => {
  describe("a REAL", () => {
    for (const value of REALS) {
      it(`${value} is exact in columns of REAL, NUMERIC and no type`, async () => {
        const { db } = target();
        const table = await freshTable(target(), "a REAL, b DOUBLE PRECISION, c NUMERIC, d");
        await db.execute(`INSERT INTO ${table} VALUES(?1, ?1, ?1, ?1)`, [value]);
        const { rows } = await db.query<unknown>(
          `SELECT *, typeof(a), typeof(b), typeof(c), typeof(d) FROM ${table}`,
          [],
          { rows: "array", integers: "bigint" },
        );
        assert.deepEqual(rows, [[...Array(4).fill(value), ...Array(4).fill("real")]]);
      });
    }

    it("keeps -0.0 in a column without a type", async () => {
      const table = await freshTable(target(), "v");
      const [read, type] = await roundTrip(target(), table, -0);
      assert.ok(Object.is(read, -0));
      assert.equal(type, "real");
    });

    it("is a number in every mode where the column is a REAL one", async () => {
      const { db } = target();
      const table = await freshTable(target(), "id INTEGER PRIMARY KEY, a REAL, b FLOAT, c DOUBLE");
      const stored = [1, -3, 0, 2 ** 53, 2 ** 60, 1e20, 2.5];
      await db.batch(stored.map((v) => [`INSERT INTO ${table}(a, b, c) VALUES(?1, ?1, ?1)`, v]));
      for (const integers of ["number", "bigint", "string", "auto"] as const) {
        const sql = `SELECT a, b, c FROM ${table} ORDER BY id`;
        const { rows } = await db.query<unknown>(sql, [], { rows: "array", integers });
        assert.deepEqual(rows, stored.map((v) => [v, v, v]));
      }
    });

    it("that is integral is an INTEGER where no type says otherwise", async () => {
      const table = await freshTable(target(), "v");
      assert.deepEqual(await roundTrip(target(), table, 3), [3, "integer"]);
      const expression = await target().db.query("SELECT 2.0 AS v", [], { integers: "bigint" });
      assert.deepEqual(expression.rows, [{ v: 2 }]);
    });
  });
};

const texts: Topic = (target) => {
  describe("a TEXT", () => {
    const cases: Record<string, string> = {
      empty: "",
      "with quotes": `it's "quoted" \`so\` [too]; -- \\ /* */`,
      "with line ends": "a\r\nb\nc\td",
      "beyond the BMP": "🦆 naïve 漢字 \u{10ffff} e\u0301",
      "of HTML": "<b>&amp;</b>\u2028\u2029",
      "like a blob": "x'41'",
      "like a blob, with blanks": " X'00ff' ",
      "like an empty blob": "x''",
      "like a blob, with Unicode blanks": "\u00a0x'41'\u3000",
      "like a number": "0123",
      "like now": "now",
      "of one megabyte": "0123456789abcdef".repeat(65_536),
    };
    for (const [name, text] of Object.entries(cases)) {
      it(`${name} comes back as it was`, async () => {
        const { db } = target();
        const table = await freshTable(target(), "a TEXT, b");
        await db.execute(`INSERT INTO ${table} VALUES(?, ?)`, [text, text]);
        const { rows } = await db.query(`SELECT *, typeof(a) AS t, typeof(b) AS u FROM ${table}`);
        const { a, b, t, u } = rows[0]!;
        assert.ok(a === text && b === text, String(a).slice(0, 80));
        assert.deepEqual([t, u], ["text", "text"]);
      });
    }

    it("with NUL characters is stored in full", async () => {
      const { db } = target();
      const text = "a\0b\0";
      const table = await freshTable(target(), "v TEXT");
      await db.execute(`INSERT INTO ${table} VALUES(?)`, [text]);
      const { rows } = await db.query(
        `SELECT v, typeof(v) AS t, hex(CAST(v AS BLOB)) AS h FROM ${table} WHERE v = ?`,
        [text],
      );
      assert.deepEqual(rows, [{ v: text, t: "text", h: "61006200" }]);
    });

    it("like a blob is compared as text", async () => {
      const { db } = target();
      const sql = "SELECT typeof(?) AS t, ? = 'x''41''' AS same, length(?) AS n";
      const { rows } = await db.query(sql, ["x'41'", "x'41'", "x'41'"]);
      assert.deepEqual(rows, [{ t: "text", same: 1, n: 5 }]);
    });
  });
};

const ALL_BYTES = Uint8Array.from({ length: 256 }, (_, i) => i);

const blobs: Topic = (target) => {
  describe("a BLOB", () => {
    const large = Uint8Array.from({ length: 300_000 }, (_, i) => i * 7 + (i >> 8));
    const cases: Record<string, [Param, Uint8Array]> = {
      "of no bytes": [new Uint8Array(), new Uint8Array()],
      "of all byte values": [ALL_BYTES, ALL_BYTES],
      "of 300 kB": [large, large],
      "of an ArrayBuffer": [ALL_BYTES.slice().buffer, ALL_BYTES],
      "of a DataView": [new DataView(ALL_BYTES.buffer, 16, 8), ALL_BYTES.slice(16, 24)],
      "of a part": [ALL_BYTES.subarray(200, 210), ALL_BYTES.slice(200, 210)],
      "of 16 bit elements": [new Uint16Array([1, 513]), new Uint8Array([1, 0, 1, 2])],
      "of zeros": [new Uint8Array(4), new Uint8Array(4)],
    };
    for (const [name, [bound, bytes]] of Object.entries(cases)) {
      it(`${name} comes back as its bytes`, async () => {
        const table = await freshTable(target(), "v BLOB");
        const [read, type] = await roundTrip(target(), table, bound);
        assert.ok(read instanceof Uint8Array);
        assert.ok(read.length === bytes.length && read.every((byte, i) => byte === bytes[i]));
        assert.equal(type, "blob");
      });
    }

    it("comes back from RETURNING, alone and in a batch", async () => {
      const { db } = target();
      const table = await freshTable(target(), "v BLOB");
      const insert = `INSERT INTO ${table}(v) VALUES(?) RETURNING v`;
      const expected = [{ v: ALL_BYTES }];
      assert.deepEqual((await db.execute(insert, [ALL_BYTES])).rows, expected);
      const [first, second] = await db.batch([[insert, ALL_BYTES], [insert, ALL_BYTES]]);
      assert.deepEqual([first!.rows, second!.rows], [expected, expected]);
      const [third, fourth] = await db.batch([[insert, ALL_BYTES], `SELECT v FROM ${table}`]);
      assert.deepEqual(third!.rows, expected);
      assert.equal(fourth!.rows.length, 4);
      const loose = await db.batch([[insert, ALL_BYTES], "SELECT 1"], { atomic: false });
      assert.deepEqual(loose[0]!.rows, expected);
    });

    it("and a TEXT in one column stay what they are", async () => {
      const { db } = target();
      const table = await freshTable(target(), "id INTEGER PRIMARY KEY, v BLOB");
      const stored = ["AQID", new Uint8Array([1, 2, 3]), "", new Uint8Array(), "x'41'", null, 5];
      await db.batch(stored.map((v) => [`INSERT INTO ${table}(v) VALUES(?)`, v]));
      const { rows } = await db.query(`SELECT v FROM ${table} ORDER BY id`);
      assert.deepEqual(rows.map(({ v }) => v), stored);
    });

    it("can be looked for", async () => {
      const { db } = target();
      const table = await freshTable(target(), "v BLOB");
      await db.execute(`INSERT INTO ${table} VALUES(?)`, [ALL_BYTES]);
      const sql = `SELECT count(*) FROM ${table} WHERE v = :bytes`;
      const { rows } = await db.query<number[]>(sql, { bytes: ALL_BYTES }, { rows: "array" });
      assert.deepEqual(rows, [[1]]);
    });
  });
};

const others: Topic = (target) => {
  describe("other values", () => {
    it("NULL is null", async () => {
      for (const type of ["INTEGER", "REAL", "TEXT", "BLOB", "BOOLEAN", "DATETIME", ""]) {
        const table = await freshTable(target(), `v ${type}`);
        assert.deepEqual(await roundTrip(target(), table, null, "bigint"), [null, "null"]);
      }
    });

    it("a boolean is stored as 1 or 0, and is one again in a BOOLEAN column", async () => {
      const plain = await freshTable(target(), "v");
      assert.deepEqual(await roundTrip(target(), plain, true), [1, "integer"]);
      assert.deepEqual(await roundTrip(target(), plain, false), [0, "integer"]);
      const typed = await freshTable(target(), "v BOOLEAN");
      for (const mode of ["number", "bigint", "string", "auto"] as const) {
        assert.deepEqual(await roundTrip(target(), typed, true, mode), [true, "integer"]);
        assert.deepEqual(await roundTrip(target(), typed, false, mode), [false, "integer"]);
      }
    });

    it("a Date is its ISO 8601 text", async () => {
      const text = "2024-02-29T23:59:58.123Z";
      for (const type of ["TEXT", "DATETIME", "TIMESTAMP", ""]) {
        const table = await freshTable(target(), `v ${type}`);
        assert.deepEqual(await roundTrip(target(), table, new Date(text)), [text, "text"]);
      }
    });
  });
};

const shapes: Topic = (target) => {
  describe("rows", () => {
    it("keep duplicate names as arrays; in objects the last one wins", async () => {
      const sql = "SELECT 1 AS a, 2 AS b, 3 AS a";
      const arrays = await target().db.query(sql, [], { rows: "array" });
      assert.deepEqual([arrays.columns, arrays.rows], [["a", "b", "a"], [[1, 2, 3]]]);
      const objects = await target().db.query(sql);
      assert.deepEqual(objects.rows, [{ a: 3, b: 2 }]);
    });

    it("may have a column named __proto__", async () => {
      const { rows } = await target().db.query("SELECT 7 AS __proto__, 8 AS constructor");
      assert.deepEqual(Object.entries(rows[0]!), [["__proto__", 7], ["constructor", 8]]);
      assert.equal(Object.getPrototypeOf(rows[0]), Object.prototype);
    });

    it("may have columns without a good name", async () => {
      const { rows } = await target().db.query('SELECT 1 AS "", 2 AS "a b", 3 AS "é\'☃", 4 AS "0"');
      assert.deepEqual(rows, [{ "": 1, "a b": 2, "é'☃": 3, "0": 4 }]);
    });

    it("may be many, and wide", async () => {
      const { db } = target();
      const many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 20000) ";
      const { rows } = await db.query<{ i: number }>(`${many} SELECT i FROM n`);
      assert.equal(rows.length, 20_000);
      assert.ok(rows.every(({ i }, at) => i === at + 1));
      const wide = Array.from({ length: 500 }, (_, i) => `${i} AS c${i}`).join(", ");
      const [row] = (await db.query(`SELECT ${wide}`)).rows;
      assert.deepEqual(row, Object.fromEntries(Object.keys(row!).map((key, i) => [key, i])));
    });

    it("may hold every kind of value at once", async () => {
      const { db } = target();
      const table = await freshTable(target(), "i INTEGER, r REAL, t TEXT, b BLOB, f BOOLEAN, n");
      const row = { i: 2n ** 60n, r: 1, t: "é", b: new Uint8Array([0, 255]), f: true, n: null };
      await db.execute(`INSERT INTO ${table} VALUES(:i, :r, :t, :b, :f, :n)`, row);
      const { rows, types } = await db.query(`SELECT * FROM ${table}`, [], { integers: "bigint" });
      assert.deepEqual(rows, [row]);
      assert.deepEqual(types, ["integer", "real", "text", "blob", "boolean", ""]);
    });
  });

  describe("a large statement", () => {
    it("may have 32766 parameters", async () => {
      const { db } = target();
      const list = Array.from({ length: 32_766 }, (_, i) => i + 1);
      const marks = list.map(() => "?").join(",");
      const { rows } = await db.query<number[]>(
        `SELECT count(*) FROM (SELECT 5 AS v) WHERE v IN (${marks})`,
        list,
        { rows: "array" },
      );
      assert.deepEqual(rows, [[1]]);
    });

    it("may insert many rows", async () => {
      const table = await freshTable(target(), "a, b");
      const list = Array.from({ length: 5000 }, (_, i) => i);
      const marks = list.map(() => "(?, 'x')").join(",");
      const result = await target().db.execute(`INSERT INTO ${table} VALUES ${marks}`, list);
      assert.deepEqual([result.rowsAffected, result.lastInsertId], [5000, 5000]);
      assert.equal(await valueOf(target().db, `SELECT sum(a) FROM ${table}`), 12_497_500);
    });
  });
};
