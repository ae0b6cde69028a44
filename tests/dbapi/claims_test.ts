/** What tangled-pyrqlite promises of its DB-API and does not do: each promise once, kept. Its locks have their own suites. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as dbapi from "../../src/dbapi/mod.ts";
import { ToldLock } from "../transaction/told_lock.ts";
import { everywhere } from "./place.ts";

everywhere("a promise of the ancestor", (place) => {
  const stored = (table: string): Promise<unknown[][]> => place().rows(`SELECT * FROM ${table}`);

  it("a lock given to connect() is used without a word about it elsewhere", async () => {
    const table = await place().table("n INTEGER");
    const lock = new ToldLock();
    const connection = place().connect({ lock });
    const cursor = connection.cursor();
    await cursor.execute(`SELECT n FROM ${table}`);
    await cursor.execute(`INSERT INTO ${table} VALUES(1)`);
    assert.deepEqual(lock.told, ["acquire"]);
    await connection.commit();
    assert.deepEqual(lock.told, ["acquire", "release"]);
    await connection.close();
  });

  it("commit() applies all statements in one request, and nothing is visible before", async () => {
    const table = await place().table("n INTEGER");
    const connection = place().connect();
    await connection.execute(`INSERT INTO ${table} VALUES(1)`);
    await connection.execute(`INSERT INTO ${table} VALUES(2)`);
    assert.deepEqual(await stored(table), []);
    place().forget();
    await connection.commit();
    assert.deepEqual(place().sent, ["/db/execute"]);
    assert.deepEqual(await stored(table), [[1], [2]]);
    await connection.close();
  });

  it("rollback() discards an INSERT, a DELETE and DDL", async () => {
    const table = await place().table("n INTEGER");
    await place().client.execute(`INSERT INTO ${table} VALUES(1)`);
    const connection = place().connect();
    await connection.execute(`INSERT INTO ${table} VALUES(2)`);
    await connection.execute(`DELETE FROM ${table} WHERE n = 1`);
    await connection.execute(`ALTER TABLE ${table} ADD COLUMN more`);
    place().forget();
    await connection.rollback();
    assert.deepEqual(place().sent, [], "it costs no request");
    assert.deepEqual(await stored(table), [[1]]);
    await connection.execute(`INSERT INTO ${table} VALUES(2)`);
    place().forget();
    await connection.close();
    assert.deepEqual(place().sent, [], "nor does this");
    assert.deepEqual(await stored(table), [[1]]);
  });

  it("commit() that fails says so, and keeps nothing", async () => {
    const parent = await place().table("id INTEGER PRIMARY KEY");
    const child = await place().table(
      `p INTEGER REFERENCES ${parent}(id) DEFERRABLE INITIALLY DEFERRED`,
    );
    const connection = place().connect();
    await connection.execute(`INSERT INTO ${parent} VALUES(1)`);
    await connection.execute(`INSERT INTO ${child} VALUES(2)`);
    await assert.rejects(connection.commit(), dbapi.DatabaseError);
    assert.equal(connection.inTransaction, false);
    assert.deepEqual([...await stored(parent), ...await stored(child)], []);
    await connection.close();
  });

  it("a statement with COMMIT or BEGIN somewhere in it is run, not dropped", async () => {
    const table = await place().table("commits TEXT");
    const connection = place().connect();
    const cursor = await connection.execute(`INSERT INTO ${table}(commits) VALUES('beginner')`);
    assert.equal(cursor.rowCount, 1);
    await cursor.execute(`CREATE TABLE commits_${table}(n INTEGER)`);
    await cursor.execute(
      `CREATE TRIGGER rollback_${table} AFTER INSERT ON ${table} BEGIN
         INSERT INTO commits_${table} VALUES(length(new.commits)); END`,
    );
    await cursor.execute(`INSERT INTO ${table} VALUES('SAVEPOINT')`);
    await cursor.execute(`SELECT n FROM commits_${table} -- ROLLBACK`);
    assert.deepEqual(await cursor.fetchAll(), [[9]]);
    await connection.commit();
    assert.deepEqual(await stored(table), [["beginner"], ["SAVEPOINT"]]);
    await connection.close();
  });

  it("what cannot be run is an error, and no rows of an earlier statement are left", async () => {
    const table = await place().table("n INTEGER UNIQUE");
    const connection = place().connect();
    const cursor = await connection.execute("SELECT 1");
    const orRollback = `INSERT OR ROLLBACK INTO ${table} VALUES(1)`;
    await assert.rejects(cursor.execute(orRollback), dbapi.NotSupportedError);
    await assert.rejects(cursor.fetchAll(), dbapi.ProgrammingError);
    await connection.close();
  });

  it("reads are linearizable by default, however they begin", async () => {
    const reads = [
      "SELECT 1",
      "WITH x(n) AS (SELECT 1) SELECT n FROM x",
      "VALUES(1)",
      "-- first\n/* second */ SELECT 1",
      "PRAGMA table_info(x)",
      "EXPLAIN SELECT 1",
    ];
    const connection = place().connect({ autocommit: true });
    for (const sql of reads) {
      place().forget();
      await connection.execute(sql);
      const real = place().levels.some((level) => level === "linearizable" || level === "strong");
      assert.ok(real, `${sql}: ${place().levels}`);
      assert.ok(place().sent.includes("/db/query"), sql);
    }
    await connection.close();
  });

  it("the level may be another, as an option", async () => {
    const connection = place().connect({ autocommit: true, level: "weak" });
    place().forget();
    await connection.execute("SELECT 1");
    assert.deepEqual(place().levels, ["weak"]);
    await connection.close();
  });

  it("executeMany() is all or nothing and counts all rows", async () => {
    const table = await place().table("n INTEGER UNIQUE");
    const connection = place().connect({ autocommit: true });
    const cursor = connection.cursor();
    const insert = `INSERT INTO ${table} VALUES(?)`;
    await assert.rejects(cursor.executeMany(insert, [[1], [2], [1]]), dbapi.IntegrityError);
    assert.deepEqual(await stored(table), []);
    await cursor.executeMany(insert, [[1], [2], [3]]);
    assert.equal(cursor.rowCount, 3);
    await connection.close();
  });

  it("every constraint is an IntegrityError, mistakes in SQL are ProgrammingErrors", async () => {
    const parent = await place().table("id INTEGER PRIMARY KEY");
    const table = `${parent}_strict`;
    await place().client.execute(
      `CREATE TABLE ${table}(u INTEGER UNIQUE, nn INTEGER NOT NULL DEFAULT 0,
         c INTEGER CHECK(c < 10), f INTEGER REFERENCES ${parent}(id)) STRICT`,
    );
    await place().client.execute(`INSERT INTO ${table}(u) VALUES(1)`);
    for (const autocommit of [true, false]) {
      const connection = place().connect({ autocommit });
      const constraints: [string, string][] = [
        ["u) VALUES(1)", "unique"],
        ["nn) VALUES(NULL)", "notnull"],
        ["c) VALUES(10)", "check"],
        ["u) VALUES('text')", "datatype"],
        ["f) VALUES(77)", "foreignkey"],
      ];
      for (const [rest, constraint] of constraints) {
        const attempt = async (): Promise<void> => {
          await connection.execute(`INSERT INTO ${table}(${rest}`);
          // SQLite looks at foreign keys at the end of the statement or of the transaction.
          await connection.commit();
        };
        const error = await attempt().then(() => undefined, (error) => error);
        assert.ok(error instanceof dbapi.IntegrityError, `${rest}: ${error}`);
        assert.equal(error.constraint, constraint);
        await connection.rollback();
      }
      const mistakes = ["SELEC 1", "SELECT nothing", "SELECT * FROM no_such_table", "SELECT f(1)"];
      for (const sql of mistakes) {
        await assert.rejects(connection.execute(sql), dbapi.ProgrammingError, sql);
      }
      await connection.close();
    }
  });

  it("bytes come back as bytes, from SELECT, WITH and RETURNING", async () => {
    const table = await place().table("b BLOB");
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    for (const autocommit of [true, false]) {
      const connection = place().connect({ autocommit });
      const reads = [
        connection.execute(`INSERT INTO ${table} VALUES(?) RETURNING b`, [bytes]),
        connection.execute(`SELECT b FROM ${table} LIMIT 1`),
        connection.execute(`WITH x AS (SELECT b FROM ${table}) SELECT b FROM x LIMIT 1`),
      ];
      for (const cursor of await Promise.all(reads)) {
        assert.deepEqual(await cursor.fetchAll(), [[bytes]]);
        assert.ok(dbapi.BINARY.includes(cursor.description![0]![1]));
      }
      await connection.close();
    }
  });

  it("integers are exact, dates are bound, equal column names survive", async () => {
    const connection = place().connect({ integers: "auto" });
    const cursor = await connection.execute("SELECT ? AS a, ? AS a, ? AS b", [
      2n ** 63n - 1n,
      1,
      new Date(0),
    ]);
    assert.deepEqual(cursor.description!.map(([name]) => name), ["a", "a", "b"]);
    assert.deepEqual(await cursor.fetchOne(), [2n ** 63n - 1n, 1, "1970-01-01T00:00:00.000Z"]);
    await connection.close();
  });

  it("a read, a decision and a write cannot overwrite what came in between", async () => {
    const table = await place().table("balance INTEGER");
    await place().client.execute(`INSERT INTO ${table} VALUES(100)`);
    const withdraw = async (connection: dbapi.Connection): Promise<() => Promise<void>> => {
      const cursor = await connection.execute(`SELECT balance FROM ${table}`);
      const [balance] = (await cursor.fetchOne())!;
      await cursor.execute(`UPDATE ${table} SET balance = ?`, [Number(balance) - 10]);
      return () => connection.commit();
    };
    const [one, two] = [place().connect(), place().connect()];
    const commits = [await withdraw(one), await withdraw(two)];
    await commits[0]!();
    await assert.rejects(commits[1]!(), dbapi.TransactionConflictError);
    assert.deepEqual(await stored(table), [[90]]);
    await one.close();
    await two.close();
  });
});

describe("a promise of the ancestor about the network", () => {
  const answering =
    (status: number, text: string, headers: Headers[] = []): typeof fetch => (_input, init) => {
      headers.push(new Headers(init?.headers));
      return Promise.resolve(new Response(text, { status }));
    };

  it("answers that are no JSON are errors of this package", async () => {
    for (
      const [status, text] of [[401, "unauthorized"], [503, "<html>no</html>"], [
        200,
        "<p>",
      ]] as const
    ) {
      const connection = dbapi.connect({ fetch: answering(status, text), retries: 0 });
      await assert.rejects(connection.execute("SELECT 1"), dbapi.DatabaseError, String(status));
      await assert.rejects(connection.execute("SELECT 1"), dbapi.Error);
      await connection.close();
    }
    const dead = (): Promise<Response> => Promise.reject(new TypeError("fetch failed"));
    const connection = dbapi.connect({ fetch: dead, retries: 0 });
    await assert.rejects(connection.execute("SELECT 1"), dbapi.OperationalError);
    await connection.close();
  });

  it("an empty password is sent too", async () => {
    const headers: Headers[] = [];
    const empty = '{"results":[{"columns":["1"],"types":["integer"],"values":[[1]]}]}';
    const connection = dbapi.connect({
      fetch: answering(200, empty, headers),
      username: "ada",
      password: "",
      autocommit: true,
      level: "weak",
    });
    const cursor = await connection.execute("SELECT 1");
    assert.deepEqual(await cursor.fetchAll(), [[1]]);
    assert.equal(headers[0]!.get("authorization"), `Basic ${btoa("ada:")}`);
    await connection.close();
  });
});
