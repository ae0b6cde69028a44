/**
 * What PEP 249 asks of a driver, in the order of the PEP: the module, the connection, the cursor, types. `callproc` and
 * `nextset` are optional, and SQLite has neither.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as dbapi from "../../src/dbapi/mod.ts";
import { everywhere } from "./place.ts";

const DRINKS = [
  "Carlton Cold",
  "Carlton Draft",
  "Mountain Goat",
  "Redback",
  "Victoria Bitter",
  "XXXX",
];

describe("the module dbapi", () => {
  it("apiLevel, threadSafety and paramStyle have values of PEP 249", () => {
    assert.equal(dbapi.apiLevel, "2.0");
    assert.equal(dbapi.threadSafety, 1);
    assert.equal(dbapi.paramStyle, "qmark");
  });

  it("its errors are one hierarchy under Error, which is RqliteError", () => {
    assert.equal(dbapi.Error, dbapi.RqliteError);
    assert.ok(dbapi.InterfaceError.prototype instanceof dbapi.Error);
    assert.ok(dbapi.DatabaseError.prototype instanceof dbapi.Error);
    const below = [
      dbapi.DataError,
      dbapi.OperationalError,
      dbapi.InternalError,
      dbapi.ProgrammingError,
      dbapi.NotSupportedError,
    ];
    for (const one of below) assert.ok(one.prototype instanceof dbapi.DatabaseError, one.name);
    assert.ok(dbapi.IntegrityError.prototype instanceof dbapi.DatabaseError);
    assert.ok(dbapi.Warning.prototype instanceof globalThis.Error);
    assert.equal(new dbapi.Warning("careful").name, "Warning");
  });
});

everywhere("PEP 249", (place) => {
  /** A connection, its cursor, and a table of drinks. */
  const open = async (): Promise<[dbapi.Connection, dbapi.Cursor, string]> => {
    const table = await place().table("name TEXT");
    const connection = place().connect();
    return [connection, connection.cursor(), table];
  };
  const fill = (cursor: dbapi.Cursor, table: string): Promise<unknown> =>
    cursor.executeMany(`INSERT INTO ${table} VALUES(?)`, DRINKS.map((name) => [name]));

  it("Connection.commit() works also with nothing to commit", async () => {
    const [connection] = await open();
    await connection.commit();
    await connection.commit();
    await connection.close();
  });

  it("Connection.rollback() works also with nothing to roll back", async () => {
    const [connection] = await open();
    await connection.rollback();
    await connection.rollback();
    await connection.close();
  });

  it("Connection.close() makes everything but itself an InterfaceError", async () => {
    const [connection, cursor] = await open();
    await connection.close();
    await connection.close();
    assert.equal(connection.closed, true);
    await assert.rejects(connection.commit(), dbapi.InterfaceError);
    await assert.rejects(connection.rollback(), dbapi.InterfaceError);
    await assert.rejects(connection.execute("SELECT 1"), dbapi.InterfaceError);
    await assert.rejects(cursor.execute("SELECT 1"), dbapi.InterfaceError);
    await assert.rejects(cursor.executeMany("SELECT 1", []), dbapi.InterfaceError);
    await assert.rejects(cursor.fetchOne(), dbapi.InterfaceError);
    assert.throws(() => connection.cursor(), dbapi.InterfaceError);
    assert.throws(() => connection.autocommit = true, dbapi.InterfaceError);
  });

  it("Connection.close() rolls back", async () => {
    const [connection, cursor, table] = await open();
    await fill(cursor, table);
    await connection.close();
    assert.deepEqual(await place().rows(`SELECT * FROM ${table}`), []);
  });

  it("Connection[Symbol.asyncDispose] and Cursor[Symbol.asyncDispose] close", async () => {
    const [connection, cursor] = await open();
    await cursor[Symbol.asyncDispose]();
    await assert.rejects(cursor.execute("SELECT 1"), dbapi.InterfaceError);
    await connection[Symbol.asyncDispose]();
    assert.equal(connection.closed, true);
  });

  it("Connection.cursor() makes cursors that see each other's changes", async () => {
    const [connection, first, table] = await open();
    const second = connection.cursor();
    assert.equal(second.connection, connection);
    await first.execute(`INSERT INTO ${table} VALUES('Victoria Bitter')`);
    await second.execute(`SELECT name FROM ${table}`);
    assert.deepEqual(await second.fetchAll(), [["Victoria Bitter"]]);
    await connection.rollback();
    await second.execute(`SELECT name FROM ${table}`);
    assert.deepEqual(await second.fetchAll(), []);
    await connection.close();
  });

  it("Cursor.description is null without a result, and seven items a column with one", async () => {
    const [connection, cursor, table] = await open();
    assert.equal(cursor.description, null);
    await cursor.execute(`CREATE TABLE ${table}_more(n INTEGER)`);
    assert.equal(cursor.description, null);
    await cursor.execute(`SELECT name, 1 AS one FROM ${table}`);
    assert.deepEqual(cursor.description![0], ["name", "text", null, null, null, null, null]);
    assert.equal(cursor.description!.length, 2);
    assert.ok(dbapi.STRING.includes(cursor.description![0]![1]));
    await cursor.execute(`DELETE FROM ${table}`);
    assert.equal(cursor.description, null);
    await connection.close();
  });

  it("Cursor.rowCount counts what was changed, and is -1 otherwise", async () => {
    const [connection, cursor, table] = await open();
    assert.equal(cursor.rowCount, -1);
    await cursor.execute(`CREATE TABLE ${table}_more(n INTEGER)`);
    assert.equal(cursor.rowCount, -1);
    await fill(cursor, table);
    assert.equal(cursor.rowCount, DRINKS.length);
    await cursor.execute(`SELECT name FROM ${table}`);
    assert.equal(cursor.rowCount, -1);
    await cursor.execute(`UPDATE ${table} SET name = upper(name) WHERE name LIKE 'C%'`);
    assert.equal(cursor.rowCount, 2);
    await cursor.execute(`DELETE FROM ${table} WHERE 0`);
    assert.equal(cursor.rowCount, 0);
    await connection.close();
  });

  it("Cursor.close() ends the cursor, and may be called twice", async () => {
    const [connection, cursor] = await open();
    await cursor.execute("SELECT 1");
    await cursor.close();
    await cursor.close();
    await assert.rejects(cursor.fetchOne(), dbapi.InterfaceError);
    await assert.rejects(cursor.execute("SELECT 1"), dbapi.InterfaceError);
    await connection.execute("SELECT 1");
    await connection.close();
  });

  it("Cursor.execute() binds lists and objects, and stores quotes and per cent as they are", async () => {
    const [connection, cursor, table] = await open();
    await cursor.execute(`INSERT INTO ${table} VALUES(?)`, ["Victoria Bitter"]);
    assert.equal(cursor.rowCount, 1);
    for (const mark of [":", "@", "$"]) {
      await cursor.execute(`INSERT INTO ${table} VALUES(${mark}beer)`, { beer: "Cooper's 100%" });
    }
    await cursor.execute(`SELECT name FROM ${table} ORDER BY rowid`);
    const [[first], ...rest] = await cursor.fetchAll() as [[string], ...string[][]];
    assert.equal(first, "Victoria Bitter");
    assert.deepEqual(rest, Array(3).fill(["Cooper's 100%"]));
    await connection.close();
  });

  it("Cursor.executeMany() runs the statement for each list and each object", async () => {
    const [connection, cursor, table] = await open();
    const lists = [["Cooper's"], ["Boag's"]];
    assert.equal(await cursor.executeMany(`INSERT INTO ${table} VALUES(?)`, lists), cursor);
    assert.equal(cursor.rowCount, 2);
    const objects = [{ beer: "Cooper's" }, { beer: "Boag's" }];
    await cursor.executeMany(`INSERT INTO ${table} VALUES(:beer)`, objects);
    await cursor.execute(`SELECT name FROM ${table} ORDER BY name`);
    assert.deepEqual(await cursor.fetchAll(), [
      ...[["Boag's"], ["Boag's"]],
      ...[["Cooper's"], ["Cooper's"]],
    ]);
    await connection.close();
  });

  it("Cursor.fetchOne() gives row by row, then null", async () => {
    const [connection, cursor, table] = await open();
    await assert.rejects(cursor.fetchOne(), dbapi.ProgrammingError);
    await cursor.execute(`SELECT name FROM ${table}`);
    assert.equal(await cursor.fetchOne(), null);
    await fill(cursor, table);
    await assert.rejects(cursor.fetchOne(), dbapi.ProgrammingError);
    await cursor.execute(`SELECT name FROM ${table} ORDER BY name LIMIT 2`);
    assert.deepEqual(await cursor.fetchOne(), [DRINKS[0]]);
    assert.deepEqual(await cursor.fetchOne(), [DRINKS[1]]);
    assert.equal(await cursor.fetchOne(), null);
    assert.equal(await cursor.fetchOne(), null);
    await connection.close();
  });

  it("Cursor.fetchMany() gives arraySize rows, or as many as asked for, then none", async () => {
    const [connection, cursor, table] = await open();
    await assert.rejects(cursor.fetchMany(4), dbapi.ProgrammingError);
    await fill(cursor, table);
    const select = (): Promise<unknown> =>
      cursor.execute(`SELECT name FROM ${table} ORDER BY name`);
    await select();
    assert.equal(cursor.arraySize, 1);
    assert.deepEqual(await cursor.fetchMany(), [[DRINKS[0]]]);
    assert.equal((await cursor.fetchMany(10)).length, 5);
    assert.deepEqual(await cursor.fetchMany(10), []);
    await select();
    cursor.arraySize = 4;
    assert.equal((await cursor.fetchMany()).length, 4);
    assert.equal((await cursor.fetchMany()).length, 2);
    assert.deepEqual(await cursor.fetchMany(), []);
    await select();
    cursor.arraySize = 6;
    assert.deepEqual(await cursor.fetchMany(), DRINKS.map((name) => [name]));
    await cursor.execute(`SELECT name FROM ${table} WHERE 0`);
    assert.deepEqual(await cursor.fetchMany(), []);
    await connection.close();
  });

  it("Cursor.fetchAll() gives what is left", async () => {
    const [connection, cursor, table] = await open();
    await assert.rejects(cursor.fetchAll(), dbapi.ProgrammingError);
    await fill(cursor, table);
    await assert.rejects(cursor.fetchAll(), dbapi.ProgrammingError);
    await cursor.execute(`SELECT name FROM ${table} ORDER BY name`);
    await cursor.fetchOne();
    assert.deepEqual(await cursor.fetchAll(), DRINKS.slice(1).map((name) => [name]));
    assert.deepEqual(await cursor.fetchAll(), []);
    await connection.close();
  });

  it("Cursor.fetchOne(), fetchMany() and fetchAll() go on where the other stopped", async () => {
    const [connection, cursor, table] = await open();
    await fill(cursor, table);
    await cursor.execute(`SELECT name FROM ${table} ORDER BY name`);
    const found = [
      await cursor.fetchOne(),
      ...await cursor.fetchMany(2),
      await cursor.fetchOne(),
      ...await cursor.fetchAll(),
    ];
    assert.deepEqual(found, DRINKS.map((name) => [name]));
    await connection.close();
  });

  it("Cursor is iterable over what is left", async () => {
    const [connection, cursor, table] = await open();
    await fill(cursor, table);
    await cursor.execute(`SELECT name FROM ${table} ORDER BY name`);
    await cursor.fetchOne();
    const found: unknown[] = [];
    for await (const [name] of cursor) found.push(name);
    assert.deepEqual(found, DRINKS.slice(1));
    assert.equal(await cursor.fetchOne(), null);
    await connection.close();
  });

  it("Cursor.setInputSizes() and setOutputSize() may be called", async () => {
    const [connection, cursor] = await open();
    cursor.setInputSizes([25]);
    cursor.setOutputSize(1000);
    cursor.setOutputSize(2000, 0);
    await cursor.execute("SELECT 1");
    await connection.close();
  });

  it("Cursor.execute() stores and gives back NULL as null", async () => {
    const [connection, cursor, table] = await open();
    await cursor.execute(`INSERT INTO ${table} VALUES(?)`, [null]);
    await cursor.execute(`SELECT name FROM ${table}`);
    assert.deepEqual(await cursor.fetchOne(), [null]);
    await connection.close();
  });

  it("Cursor.lastRowId is that of the row inserted last, and null otherwise", async () => {
    const [connection, cursor, table] = await open();
    assert.equal(cursor.lastRowId, null);
    await cursor.execute(`INSERT INTO ${table} VALUES('a')`);
    assert.equal(cursor.lastRowId, 1);
    await fill(cursor, table);
    assert.equal(cursor.lastRowId, 1 + DRINKS.length);
    await cursor.execute(`UPDATE ${table} SET name = 'b'`);
    assert.equal(cursor.lastRowId, null);
    await cursor.execute(`SELECT name FROM ${table}`);
    assert.equal(cursor.lastRowId, null);
    await cursor.execute(`INSERT INTO ${table} VALUES('c') RETURNING name`);
    assert.equal(cursor.lastRowId, null);
    await connection.close();
  });

  it("Cursor.lastRowId is null after an INSERT into a table WITHOUT ROWID", async () => {
    const [connection, cursor, table] = await open();
    await place().client.execute(`CREATE TABLE k_${table}(k TEXT PRIMARY KEY) WITHOUT ROWID`);
    await cursor.execute(`INSERT INTO k_${table} VALUES('a')`);
    assert.equal(cursor.lastRowId, null);
    await connection.close();
  });

  it("Cursor.execute() takes what the constructors make", async () => {
    const connection = place().connect();
    const table = await place().table(
      "day DATE, time TEXT, moment DATETIME, bytes BLOB, id INTEGER",
    );
    const ticks = Date.UTC(2002, 11, 25, 13, 45, 30) / 1000;
    await connection.execute(`INSERT INTO ${table} VALUES(?, ?, ?, ?, 1)`, [
      dbapi.DateFromTicks(ticks),
      dbapi.Time(13, 45, 30),
      dbapi.Timestamp(2002, 12, 25, 13, 45, 30),
      dbapi.Binary("bytes\0"),
    ]);
    const cursor = await connection.execute(
      `SELECT typeof(day), day || '', time, moment || '', bytes, id FROM ${table}`,
    );
    assert.deepEqual(await cursor.fetchOne(), [
      ...["text", "2002-12-25", "13:45:30", "2002-12-25T13:45:30.000Z"],
      ...[new TextEncoder().encode("bytes\0"), 1],
    ]);
    const { description } = await connection.execute(`SELECT day, bytes, id, time FROM ${table}`);
    const objects = [dbapi.DATETIME, dbapi.BINARY, dbapi.NUMBER, dbapi.STRING];
    for (const [i, object] of objects.entries()) {
      for (const other of objects) {
        assert.equal(other.includes(description![i]![1]), other === object, other.name);
      }
    }
    assert.ok(dbapi.ROWID.includes(description![2]![1]));
    await connection.close();
  });
});
