import assert from "node:assert/strict";
import { it } from "node:test";
import { sql } from "../../mod.ts";
import { connect, InterfaceError, ProgrammingError } from "../../src/dbapi/mod.ts";
import { everywhere } from "./place.ts";

type Rejection = Parameters<typeof assert.rejects>[1];

everywhere("bad input", (place) => {
  /**
   * Nothing is sent, and a transaction goes on as if nothing had been tried; without one, none is opened.
   */
  const refuses = async (
    attempt: (connection: ReturnType<typeof connect>, table: string) => Promise<unknown>,
    error: Rejection,
  ): Promise<void> => {
    for (const inside of [true, false]) {
      const table = await place().table("n INTEGER");
      const connection = place().connect();
      if (inside) await connection.execute(`INSERT INTO ${table} VALUES(1)`);
      place().forget();
      await assert.rejects(attempt(connection, table), error!);
      assert.deepEqual(place().sent, []);
      assert.equal(connection.inTransaction, inside);
      await connection.execute(`INSERT INTO ${table} VALUES(2)`);
      await connection.commit();
      const stored = await place().rows(`SELECT n FROM ${table} ORDER BY n`);
      assert.deepEqual(stored, inside ? [[1], [2]] : [[2]]);
      await connection.close();
    }
  };

  it("execute() refuses a wrong number of parameters", async () => {
    for (const params of [[], [1], [1, 2, 3]]) {
      await refuses((c, t) => c.execute(`INSERT INTO ${t} SELECT ? + ?`, params), ProgrammingError);
    }
    await refuses((c, t) => c.execute(`INSERT INTO ${t} VALUES(?)`), ProgrammingError);
  });

  it("execute() refuses a list for names, an object for ?, and unknown and missing names", async () => {
    const insert = (t: string, value: string): string => `INSERT INTO ${t} VALUES(${value})`;
    await refuses((c, t) => c.execute(insert(t, ":n"), [1]), ProgrammingError);
    await refuses((c, t) => c.execute(insert(t, "?"), { n: 1 }), ProgrammingError);
    await refuses((c, t) => c.execute(insert(t, ":n"), { m: 1 }), ProgrammingError);
    await refuses((c, t) => c.execute(insert(t, ":n"), { n: 1, m: 2 }), ProgrammingError);
    await refuses((c, t) => c.execute(insert(t, ":n"), {}), ProgrammingError);
  });

  it("execute() refuses values that SQLite does not have, and SQL that is no text", async () => {
    const insert = (t: string): string => `INSERT INTO ${t} VALUES(?)`;
    await refuses((c, t) => c.execute(insert(t), [undefined as never]), TypeError);
    await refuses((c, t) => c.execute(insert(t), [NaN]), RangeError);
    await refuses((c, t) => c.execute(insert(t), [2n ** 63n]), RangeError);
    await refuses((c, t) => c.execute(insert(t), 7 as never), TypeError);
    await refuses((c) => c.execute(undefined as never), TypeError);
    await refuses((c) => c.execute(sql`SELECT ${1}`, [2]), {
      name: "TypeError",
      message: /fragment/,
    });
  });

  it("execute() refuses several statements and what would hurt the server", async () => {
    await refuses((c) => c.execute("SELECT 1; SELECT 2"), ProgrammingError);
    await refuses((c) => c.execute("SELECT 'open"), ProgrammingError);
    await refuses((c) => c.execute("PRAGMA query_only = 1"), { name: "NotSupportedError" });
    await refuses((c) => c.execute("ATTACH 'x' AS y"), { name: "NotSupportedError" });
    const orRollback = (t: string): string => `INSERT OR ROLLBACK INTO ${t} VALUES(1)`;
    await refuses((c, t) => c.execute(orRollback(t)), { name: "NotSupportedError" });
  });

  it("executeMany() refuses what writes no rows, and rows that are none", async () => {
    const many = ["SELECT ?", "BEGIN", "COMMIT", "PRAGMA table_info(x)", "CREATE TABLE x(n)", ""];
    for (const sql of many) {
      await refuses((c) => c.cursor().executeMany(sql, [[1]]), ProgrammingError);
    }
    const insert = (t: string): string => `INSERT INTO ${t} VALUES(?)`;
    for (const rows of [undefined, null, 7, "text", {}]) {
      await refuses((c, t) => c.cursor().executeMany(insert(t), rows as never), TypeError);
    }
    await refuses((c, t) => c.cursor().executeMany(insert(t), [1] as never), TypeError);
    const filled = (t: string) => sql`INSERT INTO ${sql.id(t)} VALUES(${1})`;
    await refuses((c, t) => c.cursor().executeMany(filled(t), [[1]]), {
      name: "TypeError",
      message: /each row brings its own: write \? for them/,
    });
    await refuses((c, t) => c.cursor().executeMany(insert(t), [[1], []]), ProgrammingError);
  });

  it("fetchOne() before execute(), and after one that failed, has nothing to fetch from", async () => {
    await refuses((c) => c.cursor().fetchOne(), ProgrammingError);
    await refuses(async (c) => {
      const cursor = c.cursor();
      await assert.rejects(cursor.execute("SELECT ?", []), ProgrammingError);
      await cursor.fetchAll();
    }, ProgrammingError);
    const connection = place().connect();
    const cursor = await connection.execute("SELECT 1");
    await assert.rejects(cursor.execute("SELECT * FROM no_such_table"), ProgrammingError);
    assert.equal(cursor.description, null);
    await assert.rejects(cursor.fetchAll(), ProgrammingError);
    await connection.close();
  });

  it("arraySize and fetchMany() refuse what is no number of rows", async () => {
    const connection = place().connect({ autocommit: true });
    const cursor = await connection.execute("SELECT 1");
    for (const size of [0, -1, 0.5, NaN, "2" as never]) {
      assert.throws(() => cursor.arraySize = size, RangeError);
    }
    for (const size of [-1, 0.5, NaN, "2" as never]) {
      await assert.rejects(cursor.fetchMany(size), RangeError);
    }
    assert.deepEqual(await cursor.fetchMany(0), []);
    assert.deepEqual(await cursor.fetchMany(), [[1]]);
    await connection.close();
  });

  it("a cursor that is closed, or whose connection is, sends nothing", async () => {
    const connection = place().connect();
    const [closed, orphan] = [connection.cursor(), connection.cursor()];
    await closed.close();
    place().forget();
    await assert.rejects(closed.execute("SELECT 1"), InterfaceError);
    await connection.close();
    for (const cursor of [closed, orphan]) {
      await assert.rejects(cursor.execute("SELECT 1"), InterfaceError);
      await assert.rejects(cursor.executeMany("DELETE FROM t", [[]]), InterfaceError);
      await assert.rejects(cursor.fetchMany(), InterfaceError);
      await cursor.close();
    }
    assert.deepEqual(place().sent, []);
  });

  it("connect() refuses wrong options", () => {
    assert.throws(() => connect({ autocommit: 1 as never }), TypeError);
    assert.throws(() => connect({ lock: {} as never }), TypeError);
    assert.throws(() => connect({ lock: null as never }), TypeError);
    assert.throws(() => connect({ level: "best" as never }), TypeError);
    assert.throws(() => connect("localhost:4001"), TypeError);
    assert.throws(() => connect({ timeout: -1 }), RangeError);
  });
});
