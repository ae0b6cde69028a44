import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sql } from "../../mod.ts";
import { multiRowInsertOf } from "../../src/dbapi/execute_many.ts";
import { DatabaseError, IntegrityError } from "../../src/dbapi/mod.ts";
import { everywhere } from "./place.ts";

describe("multiRowInsertOf()", () => {
  it("puts rows of plain INSERTs together, in the order of the placeholders", () => {
    const pack = multiRowInsertOf("INSERT OR IGNORE INTO t(a, b, c) VALUES(?2, 'x', ?1);")!;
    assert.equal(pack.rows, 100);
    assert.equal(pack.text(2), "INSERT OR IGNORE INTO t(a, b, c) VALUES (?,'x',?),(?,'x',?)");
    const values: unknown[] = [];
    pack.add([1, 2], values as never);
    assert.deepEqual(values, [2, 1]);
    assert.equal(
      multiRowInsertOf('REPLACE INTO main."t" VALUES(:a, -- why\n :a, NULL)')!.rows,
      100,
    );
    assert.equal(
      multiRowInsertOf(`INSERT INTO t VALUES(${Array(1000).fill("?").join()})`)!.rows,
      32,
    );
  });

  it("leaves alone what would mean something else together", () => {
    const others = [
      "INSERT OR FAIL INTO t VALUES(?)",
      "INSERT INTO t VALUES(?) RETURNING a",
      "INSERT INTO t VALUES(?) ON CONFLICT DO NOTHING",
      "INSERT INTO t VALUES(?), (?)",
      "INSERT INTO t VALUES(? + 1)",
      "INSERT INTO t VALUES((SELECT max(a) FROM t))",
      "INSERT INTO t VALUES(random())",
      "INSERT INTO t VALUES(CURRENT_TIMESTAMP)",
      "INSERT INTO t SELECT ?",
      "INSERT INTO t DEFAULT VALUES",
      "WITH x AS (SELECT 1) INSERT INTO t VALUES(?)",
      "UPDATE t SET a = ?",
    ];
    for (const sql of others) assert.equal(multiRowInsertOf(sql), undefined, sql);
  });
});

everywhere("executeMany()", (place) => {
  const count = async (table: string): Promise<unknown> =>
    (await place().rows(`SELECT count(*) FROM ${table}`))[0]![0];
  const numbers = (from: number, to: number): number[][] =>
    Array.from({ length: to - from }, (_, i) => [from + i]);
  async function* later<T>(rows: Iterable<T>): AsyncGenerator<T> {
    for (const row of rows) yield await Promise.resolve(row);
  }

  it("takes a fragment that says where the values go; execute() one that brings them", async () => {
    const table = sql.id(await place().table("a, b"));
    const connection = place().connect();
    const cursor = connection.cursor();
    await cursor.executeMany(sql`INSERT INTO ${table} VALUES(?, ?)`, [[1, "x"], [2, "y"]]);
    assert.equal(cursor.rowCount, 2);
    await cursor.execute(sql`UPDATE ${table} SET ${sql.set({ b: "z" })} WHERE a = ${2}`);
    assert.equal(cursor.rowCount, 1);
    await connection.execute(sql.raw("SAVEPOINT a"));
    await connection.execute(sql`DELETE FROM ${table}`);
    await connection.execute(sql`ROLLBACK TO a`);
    const read = await connection.execute(
      sql`SELECT b FROM ${table} WHERE a IN (${sql.list([1, 2])})`,
    );
    assert.deepEqual(await read.fetchAll(), [["x"], ["z"]]);
    await connection.close();
  });

  it("takes any iterable, also an asynchronous one, and one that reuses its row", async () => {
    const table = await place().table("n INTEGER");
    const connection = place().connect();
    const cursor = connection.cursor();
    const insert = `INSERT INTO ${table} VALUES(?)`;
    function* reused(): Generator<number[]> {
      const row = [0];
      for (row[0] = 4; row[0]! < 6; row[0]!++) yield row;
    }
    for (const rows of [numbers(0, 2), later(numbers(2, 4)), reused(), new Set([[6], [7]])]) {
      await cursor.executeMany(insert, rows);
      assert.equal(cursor.rowCount, 2);
    }
    await cursor.executeMany(insert, []);
    assert.equal(cursor.rowCount, 0);
    await connection.commit();
    const stored = await place().rows(`SELECT n FROM ${table} ORDER BY n`);
    assert.deepEqual(stored, numbers(0, 8));
    await connection.close();
  });

  it("stores every type, in statements with several rows too", async () => {
    const table = await place().table("a, b, c, d, e");
    const rows = [
      [1, 2n ** 62n, 0.5, "it's", new Uint8Array([0, 255])],
      [null, -(2n ** 63n), -0.25, "x'41'", new Uint8Array()],
      [2, 3n, 1e300, "", new Uint8Array([39])],
    ];
    const connection = place().connect({ integers: "auto" });
    const cursor = connection.cursor();
    await cursor.executeMany(`INSERT INTO ${table} VALUES(?, ?, ?, ?, ?)`, rows);
    await cursor.execute(`SELECT typeof(a), typeof(d), typeof(e) FROM ${table}`);
    assert.deepEqual(await cursor.fetchOne(), ["integer", "text", "blob"]);
    await cursor.execute(`SELECT a, b, c, d, hex(e) FROM ${table} ORDER BY rowid`);
    const hex = ["00FF", "", "27"];
    const wanted = rows.map((row, i) => [...row.slice(0, 4), hex[i]]);
    wanted[2]![1] = 3;
    assert.deepEqual(await cursor.fetchAll(), wanted);
    await connection.close();
  });

  it("joins the transaction by one request, and is forgotten with it", async () => {
    const table = await place().table("n INTEGER PRIMARY KEY");
    const connection = place().connect();
    const cursor = connection.cursor();
    await cursor.execute(`SELECT n FROM ${table}`);
    place().forget();
    await cursor.executeMany(`INSERT INTO ${table} VALUES(?)`, numbers(0, 25_000));
    assert.deepEqual(place().sent, ["/db/request"]);
    assert.equal(cursor.rowCount, 25_000);
    assert.equal(cursor.lastRowId, 24_999);
    await connection.rollback();
    assert.equal(await count(table), 0);
    await cursor.executeMany(`INSERT INTO ${table} VALUES(?)`, numbers(0, 25_000));
    await connection.commit();
    assert.equal(await count(table), 25_000);
    await connection.close();
  });

  it("keeps none of its rows in the transaction where one fails", async () => {
    const table = await place().table("n INTEGER PRIMARY KEY");
    const connection = place().connect();
    const cursor = await connection.execute(`INSERT INTO ${table} VALUES(500)`);
    const insert = `INSERT INTO ${table} VALUES(?)`;
    const error = await cursor.executeMany(insert, numbers(0, 1000)).catch((error) => error);
    assert.ok(error instanceof IntegrityError, String(error));
    assert.equal(error.sql, insert);
    assert.equal(error.rowsApplied, undefined);
    assert.equal(cursor.rowCount, 0);
    await connection.commit();
    assert.equal(await count(table), 1);
    await connection.close();
  });

  it("says which row failed, where the rows are statements of their own", async () => {
    const table = await place().table("n INTEGER CHECK(n < 10)");
    const connection = place().connect();
    const cursor = await connection.execute(`INSERT INTO ${table} VALUES(1)`);
    const rows = [[1], [2], [20], [3]];
    await assert.rejects(cursor.executeMany(`UPDATE ${table} SET n = ?`, rows), {
      name: "IntegrityError",
      statementIndex: 2,
    });
    await cursor.executeMany(`UPDATE ${table} SET n = n + ?`, [[1], [2], [3]]);
    assert.equal(cursor.rowCount, 3);
    await connection.commit();
    assert.deepEqual(await place().rows(`SELECT n FROM ${table}`), [[7]]);
    await connection.close();
  });

  it("cuts rows into atomic requests with autocommit, and an error says what was applied", async () => {
    const table = await place().table("n INTEGER PRIMARY KEY");
    await place().client.execute(`INSERT INTO ${table} VALUES(25000)`);
    const connection = place().connect({ autocommit: true });
    const cursor = connection.cursor();
    place().forget();
    const insert = `INSERT INTO ${table} VALUES(?)`;
    const error = await cursor.executeMany(insert, later(numbers(0, 40_000))).catch((error) =>
      error
    );
    assert.ok(error instanceof DatabaseError, String(error));
    assert.equal(error.name, "IntegrityError");
    assert.equal(error.rowsApplied, 20_000);
    assert.equal(error.sql, insert);
    assert.equal(cursor.rowCount, 20_000);
    assert.equal(place().bodies.filter((body) => body.includes(insert.slice(0, -3))).length, 3);
    assert.equal(await count(table), 20_001);
    await connection.close();
  });

  it("cuts rows into requests by their bytes too", async () => {
    const table = await place().table("t TEXT, b BLOB");
    const connection = place().connect({ autocommit: true });
    place().forget();
    const row = ["x".repeat(500_000), new Uint8Array(250_000)];
    await connection.cursor().executeMany(`INSERT INTO ${table} VALUES(?, ?)`, Array(20).fill(row));
    const inserting = place().bodies.filter((body) => body.includes(`INSERT INTO ${table} `));
    assert.equal(inserting.length, 5);
    assert.ok(place().bodies.every((body) => body.length < 5_000_000));
    assert.equal(await count(table), 20);
    await connection.close();
  });

  it("asks for the next row only when the request before was answered, with autocommit", async () => {
    const table = await place().table("n INTEGER");
    const connection = place().connect({ autocommit: true });
    const cursor = connection.cursor();
    let ahead = 0;
    async function* rows(): AsyncGenerator<number[]> {
      for (let n = 0; n < 35_000; n++) {
        ahead = Math.max(ahead, n - cursor.rowCount);
        yield await Promise.resolve([n]);
      }
    }
    await cursor.executeMany(`INSERT INTO ${table} VALUES(?)`, rows());
    assert.equal(cursor.rowCount, 35_000);
    assert.equal(ahead, 9_999);
    await connection.close();
  });

  it("drops the rows of RETURNING and counts them", async () => {
    const table = await place().table("n INTEGER");
    for (const autocommit of [false, true]) {
      const connection = place().connect({ autocommit });
      const cursor = connection.cursor();
      await cursor.executeMany(`INSERT INTO ${table} VALUES(?) RETURNING n`, [[1], [2]]);
      assert.equal(cursor.rowCount, 2);
      assert.equal(cursor.description, null);
      await connection.close();
    }
  });

  it("refuses the values of a row when it is its turn, and says which row", async () => {
    const table = await place().table("n INTEGER");
    const insert = `INSERT INTO ${table} VALUES(?)`;
    const connection = place().connect({ autocommit: true });
    const cursor = connection.cursor();
    place().forget();
    await assert.rejects(cursor.executeMany(insert, [[1], [2, 3]]), {
      name: "ProgrammingError",
      statementIndex: 1,
      rowsApplied: 0,
    });
    await assert.rejects(cursor.executeMany(insert, [[1], [NaN]]), /^RangeError: Row 1: /);
    await assert.rejects(cursor.executeMany(insert, [[1], { n: 1 }]), /object of names/);
    assert.deepEqual(place().sent, []);
    await assert.rejects(
      cursor.executeMany(insert, [...numbers(0, 10_000), [undefined as never]]),
      /^TypeError: Row 10000: .*: the 10000 rows before it were applied/,
    );
    assert.equal(cursor.rowCount, 10_000);
    await connection.close();
  });

  it("throws what the iterable throws, unchanged, and ends it when a request fails", async () => {
    const table = await place().table("n INTEGER CHECK(n <> 5)");
    const insert = `INSERT INTO ${table} VALUES(?)`;
    const connection = place().connect({ autocommit: true });
    const cursor = connection.cursor();
    const failure = new Error("the file ended early");
    async function* broken(): AsyncGenerator<number[]> {
      yield* later(numbers(10, 15));
      throw failure;
    }
    await assert.rejects(cursor.executeMany(insert, broken()), failure);
    let ended = false;
    function* rows(): Generator<number[]> {
      try {
        yield* numbers(0, 30_000);
      } finally {
        ended = true;
      }
    }
    await assert.rejects(cursor.executeMany(insert, rows()), { rowsApplied: 0 });
    assert.equal(ended, true);
    assert.equal(await count(table), 0);
    await connection.close();
  });

  it("lets the iterable use the same connection", async () => {
    const table = await place().table("n INTEGER");
    const connection = place().connect();
    await connection.execute(`INSERT INTO ${table} VALUES(1)`);
    async function* copies(): AsyncGenerator<unknown[]> {
      for await (const row of await connection.execute(`SELECT n + 1 FROM ${table}`)) yield row;
    }
    await connection.cursor().executeMany(`INSERT INTO ${table} VALUES(?)`, copies() as never);
    await connection.commit();
    assert.deepEqual(await place().rows(`SELECT n FROM ${table} ORDER BY n`), [[1], [2]]);
    await connection.close();
  });
});
