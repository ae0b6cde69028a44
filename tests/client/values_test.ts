// A value is what it is, whatever the other rows of its column hold and however it is read.
import fc from "fast-check";
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  type Client,
  connect,
  DataError,
  type Executor,
  type IntegerMode,
  type Value,
} from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { type Database, type DatabaseKind, DATABASES } from "../support/databases.ts";

const MODES: readonly IntegerMode[] = ["number", "bigint", "string", "auto"];

/** A busy machine is no failure; Bun would give up after 5 s. */
const PATIENT = { timeout: 120_000 };

/** An SQL literal, and the value that it is: `bigint` for an INTEGER. */
interface Stored {
  readonly sql: string;
  readonly value: bigint | number | string | null | Uint8Array;
}

const integer = (value: bigint): Stored => ({ sql: String(value), value });
const real = (value: number): Stored => {
  const text = String(value);
  return { sql: /[.e]/.test(text) ? text : `${text}.0`, value };
};
const text = (value: string): Stored => ({ sql: `'${value.replaceAll("'", "''")}'`, value });
const blob = (...bytes: number[]): Stored => ({
  sql: `x'${bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("")}'`,
  value: Uint8Array.from(bytes),
});

/** One of each kind, and what looks like another. */
const ZOO: readonly Stored[] = [
  real(1.5),
  integer(1n),
  integer(9007199254740993n),
  // The digits that the server writes for the REAL that follows.
  integer(1152921504606847000n),
  real(2 ** 60),
  text("x"),
  blob(0),
  blob(255, 65),
  { sql: "NULL", value: null },
  text("\ufffd \\ufffd"),
  real(1e19),
];

/** Bytes that are printable text by themselves are the one thing that nobody can tell. */
const bytes = fc.tuple(fc.constantFrom(0, 1, 128, 255), fc.uint8Array({ maxLength: 3 }));
const border = fc.tuple(fc.constantFrom(0n, 2n ** 53n, 2n ** 60n, 2n ** 62n), fc.integer())
  .map(([size, offset]) => size + BigInt(offset) % 100n);
const anything: fc.Arbitrary<Stored> = fc.oneof(
  fc.constantFrom(...ZOO),
  fc.oneof(border, fc.bigInt({ min: 2n - 2n ** 63n, max: 2n ** 63n - 1n })).map(integer),
  border.map((value) => real(Number(value) + (value < 2n ** 53n ? 0.5 : 0))),
  fc.string({ unit: fc.constantFrom("a", "'", "\\", "é", "🦆", "\ufffd", "\n") }).map(text),
  bytes.map(([first, rest]) => blob(first, ...rest)),
);

/** What the caller should get. */
function expected({ value }: Stored, mode: IntegerMode): Value | typeof DataError {
  if (typeof value !== "bigint") return value;
  if (mode === "bigint") return value;
  if (mode === "string") return String(value);
  if (Number.isSafeInteger(Number(value))) return Number(value);
  return mode === "auto" ? value : DataError;
}

/** Reads what should be these values; in the column `v`. */
async function agrees(
  stored: readonly Stored[],
  mode: IntegerMode,
  read: () => Promise<Value[]>,
): Promise<void> {
  const wanted = stored.map((one) => expected(one, mode));
  if (!wanted.includes(DataError)) return assert.deepEqual(await read(), wanted);
  await assert.rejects(read(), { name: "DataError", column: "v" });
}

const union = (stored: readonly Stored[]): string =>
  stored.map(({ sql }, i) => `SELECT ${sql}${i === 0 ? " AS v" : ""}`).join(" UNION ALL ");

const cells = (rows: readonly unknown[]): Value[] => rows.map((row) => (row as { v: Value }).v);

type Read = (db: Client, sql: string, integers: IntegerMode) => Promise<Value[]>;

/** What reads `sql`, a SELECT of `v` and `i` from a table with rowids. */
const READS: Readonly<Record<string, Read>> = {
  query: async (db, sql, integers) => cells((await db.query(sql, [], { integers })).rows),
  "query of arrays": async (db, sql, integers) =>
    (await db.query<Value[]>(sql, [], { integers, rows: "array" })).rows.map(([v]) => v!),
  "query of a sub-select": async (db, sql, integers) =>
    cells((await db.query(`SELECT v, i FROM (${sql})`, [], { integers })).rows),
  "query at level strong": async (db, sql, integers) =>
    cells((await db.query(sql, [], { integers, level: "strong" })).rows),
  batch: async (db, sql, integers) =>
    cells((await db.batch(["SELECT 1", sql], { integers }))[1]!.rows),
  "loose batch": async (db, sql, integers) =>
    cells((await db.batch([sql, "SELECT 1"], { integers, atomic: false }))[0]!.rows),
  "a transaction": (db, sql, integers) =>
    db.transaction(async (tx) => cells((await tx.query(sql)).rows), { integers }),
  "a transaction, behind a write": (db, sql, integers) =>
    db.transaction(async (tx) => {
      await tx.execute("INSERT INTO other VALUES(1)");
      return cells((await tx.query(sql)).rows);
    }, { integers }),
  iterate: async (db, sql, integers) => {
    const rows: unknown[] = [];
    const options = { integers, pageSize: 3, by: "i" };
    for await (const row of db.iterate(sql, [], options)) rows.push(row);
    return cells(rows);
  },
};

let tables = 0;

/** A table with a column `v` of a type, and these values in the order of `i`. */
async function tableOf(db: Executor, type: string, stored: readonly Stored[]): Promise<string> {
  const name = `values_${++tables}`;
  await db.batch([
    `CREATE TABLE ${name}(i INTEGER PRIMARY KEY, v ${type})`,
    ...stored.map(({ sql }, i) => `INSERT INTO ${name} VALUES(${i}, ${sql})`),
  ]);
  return name;
}

const rotated = (by: number): readonly Stored[] => [...ZOO.slice(by), ...ZOO.slice(0, by)];

function untyped(place: () => Database): void {
  it("an expression is what each of its rows is, in every mode", PATIENT, async () => {
    const { db } = place();
    const lists = fc.array(anything, { minLength: 1, maxLength: 6 });
    const property = fc.asyncProperty(lists, fc.constantFrom(...MODES), async (stored, mode) => {
      await agrees(stored, mode, () => READS.query!(db, union(stored), mode));
    });
    await fc.assert(property, { numRuns: 150, seed: 20261130 });
  });

  for (const [name, read] of Object.entries(READS)) {
    it(`a column without a type is what each of its rows is, in every mode, by ${name}`, async () => {
      const { db } = place();
      for (const by of [0, 1, 4, 5, 6, 8]) {
        const stored = rotated(by);
        const sql = `SELECT v, i FROM ${await tableOf(db, "", stored)}`;
        const order = name === "iterate" ? "" : " ORDER BY i";
        for (const mode of MODES) await agrees(stored, mode, () => read(db, sql + order, mode));
      }
    });
  }

  it("what an aggregate makes of one value is that value", async () => {
    const { db } = place();
    const table = await tableOf(db, "", ZOO);
    for (const [i, stored] of ZOO.entries()) {
      const sql = `SELECT max(v) AS v FROM ${table} WHERE i = ${i}`;
      for (const mode of MODES) await agrees([stored], mode, () => READS.query!(db, sql, mode));
    }
  });

  it("rows stay in their order, and names and types as they are, where bytes were read again", async () => {
    const { db } = place();
    const table = await tableOf(db, "TEXT", [blob(255), text("b"), blob(254)]);
    const sql = `SELECT v AS a, 1 AS a, v FROM ${table} ORDER BY i DESC`;
    const { columns, types, rows } = await db.query(sql, [], { rows: "array" });
    assert.deepEqual(columns, ["a", "a", "v"]);
    assert.deepEqual(types, ["text", "integer", "text"]);
    const [low, high] = [Uint8Array.of(254), Uint8Array.of(255)];
    assert.deepEqual(rows, [[low, 1, low], ["b", 1, "b"], [high, 1, high]]);
  });

  it("parts of a compound SELECT are what they are, whatever types the other parts declare", async () => {
    const { db } = place();
    const [left, right] = [`values_${++tables}`, `values_${++tables}`];
    await db.batch([
      `CREATE TABLE ${left}(n INTEGER, t TEXT, b BLOB, e)`,
      `CREATE TABLE ${right}(n BOOLEAN, t DATETIME, b TEXT, e)`,
      `INSERT INTO ${left} VALUES(7, 'hello', x'414243', x'ff')`,
      `INSERT INTO ${right} VALUES(1, '2024-01-02', 't', x'fe')`,
    ]);
    const columns = ["n", "t", "b", "e"];
    const sql = `SELECT * FROM ${left} UNION ALL SELECT * FROM ${right}`;
    for (const statement of [sql, `WITH u(${columns}) AS (SELECT 1) ${sql}`]) {
      const { rows, types } = await db.query(statement, [], { rows: "array" });
      assert.deepEqual(types, ["integer", "text", "blob", "text"]);
      assert.deepEqual(rows, [
        [7, "hello", Uint8Array.of(65, 66, 67), Uint8Array.of(255)],
        [1, "2024-01-02", "t", Uint8Array.of(254)],
      ]);
    }
    // The second time the client knows the types that are declared: here only the last part has one.
    const numbers =
      `SELECT 1 AS v UNION ALL SELECT 1152921504606846976.0 UNION ALL SELECT n FROM ${left}`;
    for (let i = 0; i < 2; i++) {
      const { rows } = await db.query(numbers, [], { integers: "auto" });
      assert.deepEqual(rows, [{ v: 1 }, { v: 2 ** 60 }, { v: 7 }]);
    }
    // What only the server can convert is told by nobody.
    const swapped = `SELECT * FROM ${right} UNION ALL SELECT * FROM ${left}`;
    await assert.rejects(db.query(swapped), { name: "DataError", column: "e" });
  });

  it("a statement that is read again is bound the same values", async () => {
    const values = ["é", 7, Uint8Array.of(200)] as const;
    const { rows } = await place().db.query("SELECT ?3 AS a, ? AS b, ?2 AS c, ?1 AS d, ?4 AS e", [
      ...values,
      null,
    ]);
    assert.deepEqual(rows, [{ a: values[2], b: null, c: 7, d: "é", e: null }]);
  });
}

function bytesInText(place: () => Database): void {
  for (const type of ["TEXT", "VARCHAR(9)", "CLOB", "JSON", "NVARCHAR(3)", "", "CHAR(5)"]) {
    it(`bytes in a column declared ${type || "without a type"} come back, beside genuine U+FFFD`, async () => {
      const { db } = place();
      const stored = [text("\ufffd"), blob(255, 65), text("a"), blob(0), blob(0xef, 0xbf)];
      const sql = `SELECT v FROM ${await tableOf(db, type, stored)} ORDER BY i`;
      await agrees(stored, "number", () => READS.query!(db, sql, "number"));
    });
  }

  it("text that is no UTF-8 is a DataError with the column, and hex() reads it", async () => {
    const { db } = place();
    const table = await tableOf(db, "TEXT", [{ sql: "CAST(x'ff41' AS TEXT)", value: null }]);
    const read = db.query(`SELECT v FROM ${table}`);
    await assert.rejects(read, { name: "DataError", column: "v", message: /no UTF-8.*hex\(\)/ });
    const { rows } = await db.query(`SELECT hex(v) AS v FROM ${table}`);
    assert.deepEqual(rows, [{ v: "FF41" }]);
  });

  it("bytes lost in rows of RETURNING are a DataError that says what was applied", async () => {
    const { db } = place();
    const table = await tableOf(db, "TEXT", []);
    const insert = `INSERT INTO ${table}(v) VALUES(x'ff41')`;
    await assert.rejects(db.execute(`${insert} RETURNING i, v`), {
      name: "DataError",
      column: "v",
      message: /^The write was applied, .*hex\(\)/,
    });
    await assert.rejects(db.batch([insert, `SELECT v FROM ${table}`]), {
      name: "DataError",
      column: "v",
      message: /^The batch was applied, /,
    });
    const inside = db.transaction((tx) => tx.execute(`${insert} RETURNING v`));
    await assert.rejects(inside, { name: "DataError", column: "v", message: /^Cannot return/ });
    assert.deepEqual((await db.query(`SELECT count(*) AS n FROM ${table}`)).rows, [{ n: 2 }]);
    const told = await db.execute(`${insert} RETURNING hex(v) AS v`);
    assert.deepEqual(told.rows, [{ v: "FF41" }]);
    const genuine = await db.execute(`INSERT INTO ${table}(v) VALUES('\ufffd') RETURNING v`);
    assert.deepEqual(genuine.rows, [{ v: "\ufffd" }]);
  });
}

function dates(place: () => Database): void {
  for (const type of ["DATE", "DATETIME", "TIMESTAMP"]) {
    it(`text that is no date in a ${type} column is the text that is stored, by every way to read`, async () => {
      const { db } = place();
      const stored = ["", "02/01/2024", "0000-00-00", "2024-01-02", "0001-01-01"];
      const table = await tableOf(db, type, stored.map(text));
      const expected = [
        ...stored.slice(0, 3),
        "2024-01-02T00:00:00Z",
        "0001-01-01T00:00:00Z",
      ];
      const sql = `SELECT v, i FROM ${table}`;
      for (const [name, read] of Object.entries(READS)) {
        const order = name === "iterate" ? "" : " ORDER BY i";
        assert.deepEqual(await read(db, sql + order, "number"), expected, name);
      }
      const raw = await READS.query!(db, `SELECT +v AS v FROM ${table} ORDER BY i`, "number");
      assert.deepEqual(raw, stored);
    });
  }
}

function returning(place: () => Database): void {
  it("RETURNING gives integers behind a REAL exactly, in every mode", async () => {
    const { db } = place();
    for (const mode of MODES) {
      const stored = [real(1.5), integer(9007199254740993n), real(2.5)];
      const table = await tableOf(db, "", stored);
      const sql = `UPDATE ${table} SET i = i RETURNING v`;
      await agrees(stored, mode, async () => {
        return cells((await db.execute(sql, [], { integers: mode })).rows);
      });
    }
  });

  it("RETURNING gives a REAL column as numbers, and refuses to guess at an expression", async () => {
    const { db } = place();
    const table = await tableOf(db, "REAL", [real(1.5), real(2 ** 60)]);
    const update = `UPDATE ${table} SET i = i RETURNING`;
    for (const integers of MODES) {
      const options = { integers };
      assert.deepEqual((await db.execute(`${update} v`, [], options)).rows, [
        { v: 1.5 },
        { v: 2 ** 60 },
      ]);
      const guess = "CASE i WHEN 0 THEN v ELSE 1152921504606847000 END AS v";
      await assert.rejects(db.execute(`${update} ${guess}`, [], options), {
        name: "DataError",
        column: "v",
        message: /INTEGER or a REAL.* quote\(\)/,
      });
    }
    const select = `SELECT v FROM ${table} ORDER BY i`;
    await assert.rejects(db.batch([`${update} i`, select]), { name: "DataError", column: "v" });
    const quoted = await db.execute(`${update} quote(v) AS v`);
    assert.deepEqual(quoted.rows.map(({ v }) => Number(v)), [1.5, 2 ** 60]);
    assert.doesNotMatch(String(quoted.rows[1]!.v), /^\d+$/);
  });
}

function realColumns(place: () => Database): void {
  for (const type of ["REAL", "DOUBLE", "FLOAT"]) {
    it(`${type} columns are numbers in every mode, by every way to read`, async () => {
      const { db } = place();
      const stored = [1, -3, 2 ** 53, 2 ** 60, 1e19, 2.5].map((value): Stored => real(value));
      const sql = `SELECT v, i FROM ${await tableOf(db, type, stored)}`;
      for (const [name, read] of Object.entries(READS)) {
        const order = name === "iterate" ? "" : " ORDER BY i";
        for (const mode of MODES) await agrees(stored, mode, () => read(db, sql + order, mode));
      }
    });
  }
}

function suite({ name, skip, open }: DatabaseKind): void {
  describe(`values of ${name}`, { skip }, () => {
    let opened: Database | undefined;
    before(async () => {
      opened = await open();
      await opened.db.execute("CREATE TABLE other(n)");
    });
    after(() => opened?.close());
    for (const tests of [untyped, bytesInText, dates, returning, realColumns]) tests(() => opened!);
  });
}

describe("a read that is looked at again", () => {
  it("tells of rows that came between its requests, too", async () => {
    const engine = embedded();
    const writer = connect(engine);
    await writer.execute("CREATE TABLE t(a, b)");
    await writer.execute("INSERT INTO t VALUES(x'ff', 'text')");
    let reads = 0;
    const reader = connect({
      fetch: async (input, init) => {
        if (String(input).includes("/db/query") && ++reads === 2) {
          await writer.execute("INSERT INTO t VALUES('text', x'01')");
        }
        return await engine.fetch(input as string, init);
      },
    });
    const sql = ["SELECT a, b FROM t", "SELECT b FROM t"];
    const results = await reader.batch(sql, { rows: "array" });
    assert.deepEqual(results.map(({ rows }) => rows as unknown[]), [
      [[Uint8Array.of(255), "text"], ["text", Uint8Array.of(1)]],
      [["text"], [Uint8Array.of(1)]],
    ]);
    await reader.close();
    await writer.close();
  });
});

for (const kind of DATABASES) suite(kind);
