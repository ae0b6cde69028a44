import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readControl } from "../../src/dbapi/transaction_control.ts";
import { type Connection, ProgrammingError } from "../../src/dbapi/mod.ts";
import { everywhere } from "./place.ts";

describe("readControl()", () => {
  it("reads every form of SQLite's grammar", () => {
    const forms: [string, string][] = [
      ["BEGIN", "begin"],
      ["begin transaction", "begin"],
      ["BEGIN DEFERRED", "begin"],
      ["BEGIN IMMEDIATE TRANSACTION;", "begin"],
      ["BEGIN EXCLUSIVE", "begin"],
      ["COMMIT", "commit"],
      ["COMMIT TRANSACTION", "commit"],
      ["END", "commit"],
      ["/* over */ END TRANSACTION -- now", "commit"],
      ["ROLLBACK", "rollback"],
      ["ROLLBACK TRANSACTION;", "rollback"],
    ];
    for (const [sql, does] of forms) assert.deepEqual(readControl(sql), { does }, sql);
    const named: [string, string, string][] = [
      ["SAVEPOINT a", "savepoint", "a"],
      ['SAVEPOINT "a ""b"""', "savepoint", 'a "b"'],
      ["SAVEPOINT 'x'", "savepoint", "x"],
      ["RELEASE a", "release", "a"],
      ["RELEASE SAVEPOINT [a b]", "release", "a b"],
      ["ROLLBACK TO a", "rollbackTo", "a"],
      ["ROLLBACK TRANSACTION TO SAVEPOINT `a`;", "rollbackTo", "a"],
    ];
    for (const [sql, does, name] of named) assert.deepEqual(readControl(sql), { does, name }, sql);
  });

  it("takes nothing else for control", () => {
    const others = [
      "SELECT 'COMMIT'",
      "INSERT INTO commits VALUES('BEGIN')",
      "-- ROLLBACK\nSELECT 1",
      "CREATE TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM b; END",
      "SELECT CASE WHEN 1 THEN 2 END",
      'UPDATE "begin" SET "end" = 1',
      "",
      "BEGIN; COMMIT",
    ];
    for (const sql of others) assert.equal(readControl(sql), undefined, sql);
  });

  it("refuses what begins like control and goes on otherwise", () => {
    for (
      const sql of ["BEGIN NOW", "SAVEPOINT", "RELEASE 1", "ROLLBACK TO", "COMMIT a", "END a b"]
    ) {
      assert.throws(
        () => readControl(sql),
        { name: "ProgrammingError", code: "SQLITE_ERROR" },
        sql,
      );
    }
  });
});

everywhere("control as text", (place) => {
  const open = async (autocommit = false): Promise<[Connection, string]> => [
    place().connect({ autocommit }),
    await place().table("n INTEGER"),
  ];
  const stored = async (table: string): Promise<unknown[]> =>
    (await place().rows(`SELECT n FROM ${table} ORDER BY n`)).map(([n]) => n);

  it("BEGIN and COMMIT make one transaction, also with autocommit", async () => {
    for (const autocommit of [false, true]) {
      const [connection, table] = await open(autocommit);
      await connection.execute("BEGIN IMMEDIATE");
      assert.equal(connection.inTransaction, true);
      await connection.execute(`INSERT INTO ${table} VALUES(1)`);
      assert.deepEqual(await stored(table), []);
      await connection.execute("COMMIT");
      assert.equal(connection.inTransaction, false);
      assert.deepEqual(await stored(table), [1]);
      await connection.close();
    }
  });

  it("END commits and ROLLBACK forgets what the first statement opened", async () => {
    const [connection, table] = await open();
    await connection.execute(`INSERT INTO ${table} VALUES(1)`);
    await connection.execute("ROLLBACK");
    await connection.execute(`INSERT INTO ${table} VALUES(2)`);
    await connection.execute("END");
    assert.deepEqual(await stored(table), [2]);
    await connection.close();
  });

  it("BEGIN within a transaction is an error that leaves it as it is", async () => {
    const [connection, table] = await open();
    await connection.execute(`INSERT INTO ${table} VALUES(1)`);
    await assert.rejects(connection.execute("BEGIN"), ProgrammingError);
    await connection.execute(`INSERT INTO ${table} VALUES(2)`);
    await connection.commit();
    assert.deepEqual(await stored(table), [1, 2]);
    await connection.close();
  });

  it("COMMIT, ROLLBACK and RELEASE without a transaction are errors, as in SQLite", async () => {
    const [connection] = await open();
    place().forget();
    for (const sql of ["COMMIT", "END", "ROLLBACK", "RELEASE a", "ROLLBACK TO a"]) {
      await assert.rejects(connection.execute(sql), { name: "ProgrammingError" }, sql);
      assert.equal(connection.inTransaction, false, sql);
    }
    assert.deepEqual(place().sent, []);
    await connection.close();
  });

  it("SAVEPOINT, ROLLBACK TO and RELEASE nest, without regard to case", async () => {
    const [connection, table] = await open();
    await connection.execute(`INSERT INTO ${table} VALUES(1)`);
    await connection.execute("SAVEPOINT outer_one");
    await connection.execute(`INSERT INTO ${table} VALUES(2)`);
    await connection.execute("SAVEPOINT inner_one");
    await connection.execute(`INSERT INTO ${table} VALUES(3)`);
    await connection.execute("ROLLBACK TO Inner_One");
    await connection.execute(`INSERT INTO ${table} VALUES(4)`);
    await connection.execute("RELEASE INNER_ONE");
    await assert.rejects(connection.execute("RELEASE inner_one"), ProgrammingError);
    await connection.execute("RELEASE outer_one");
    await connection.commit();
    assert.deepEqual(await stored(table), [1, 2, 4]);
    await connection.close();
  });

  it("RELEASE of the savepoint that opened a transaction commits it, with autocommit", async () => {
    const [connection, table] = await open(true);
    await connection.execute("SAVEPOINT a");
    await connection.execute(`INSERT INTO ${table} VALUES(1)`);
    await connection.execute("SAVEPOINT a");
    await connection.execute("RELEASE a");
    assert.equal(connection.inTransaction, true);
    await connection.execute("ROLLBACK TO a");
    await connection.execute(`INSERT INTO ${table} VALUES(2)`);
    await connection.execute("RELEASE a");
    assert.equal(connection.inTransaction, false);
    assert.deepEqual(await stored(table), [2]);
    await connection.close();
  });

  it("RELEASE of the first savepoint does not commit where a transaction is always open", async () => {
    const [connection, table] = await open();
    await connection.execute("SAVEPOINT a");
    await connection.execute(`INSERT INTO ${table} VALUES(1)`);
    await connection.execute("RELEASE a");
    assert.equal(connection.inTransaction, true);
    assert.deepEqual(await stored(table), []);
    await connection.rollback();
    assert.deepEqual(await stored(table), []);
    await connection.close();
  });

  it("leaves no result and no count on the cursor", async () => {
    const [connection] = await open();
    const cursor = await connection.execute("SELECT 1");
    await cursor.execute("COMMIT");
    assert.equal(cursor.description, null);
    assert.equal(cursor.rowCount, -1);
    await assert.rejects(cursor.fetchAll(), ProgrammingError);
    await connection.close();
  });

  it("takes no parameters and no company", async () => {
    const [connection] = await open();
    place().forget();
    await assert.rejects(connection.execute("BEGIN", [1]), ProgrammingError);
    await assert.rejects(connection.execute("BEGIN; COMMIT"), ProgrammingError);
    await assert.rejects(connection.execute("BEGIN NOW"), ProgrammingError);
    assert.equal(connection.inTransaction, false);
    assert.deepEqual(place().sent, []);
    await connection.close();
  });
});
