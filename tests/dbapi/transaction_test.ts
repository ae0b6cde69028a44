import assert from "node:assert/strict";
import { it } from "node:test";
import {
  InterfaceError,
  LockLostError,
  LockTimeoutError,
  NotSupportedError,
  ProgrammingError,
  run,
  TransactionConflictError,
} from "../../src/dbapi/mod.ts";
import { ToldLock } from "../transaction/told_lock.ts";
import { everywhere } from "./place.ts";

everywhere("the transaction of a connection", (place) => {
  const stored = async (table: string): Promise<unknown[]> =>
    (await place().rows(`SELECT n FROM ${table} ORDER BY n`)).map(([n]) => n);
  const table = (): Promise<string> => place().table("n INTEGER UNIQUE");

  it("execute() opens it, commit() makes it visible, and inTransaction tells", async () => {
    const name = await table();
    const connection = place().connect();
    assert.equal(connection.inTransaction, false);
    await connection.execute(`INSERT INTO ${name} VALUES(1)`);
    assert.equal(connection.inTransaction, true);
    assert.deepEqual(await stored(name), []);
    await connection.commit();
    assert.equal(connection.inTransaction, false);
    assert.deepEqual(await stored(name), [1]);
    await connection.close();
  });

  it("execute() without waiting keeps the order of the calls, also around commit()", async () => {
    const name = await table();
    const connection = place().connect();
    const calls = [
      connection.execute(`INSERT INTO ${name} VALUES(1)`),
      connection.commit(),
      connection.execute(`INSERT INTO ${name} VALUES(2)`),
      connection.rollback(),
      connection.execute(`INSERT INTO ${name} SELECT n + 2 FROM ${name}`),
      connection.commit(),
    ];
    assert.equal(connection.inTransaction, true);
    await Promise.all(calls);
    assert.deepEqual(await stored(name), [1, 3]);
    await connection.close();
  });

  it("execute() without waiting keeps the order of the calls, with autocommit too", async () => {
    const name = await table();
    const connection = place().connect({ autocommit: true });
    const cursors = await Promise.all([
      connection.execute(`INSERT INTO ${name} VALUES(1)`),
      connection.execute(`SELECT n FROM ${name}`),
      connection.execute(`DELETE FROM ${name}`),
      connection.execute(`SELECT n FROM ${name}`),
    ]);
    assert.deepEqual(await cursors[1].fetchAll(), [[1]]);
    assert.deepEqual(await cursors[3].fetchAll(), []);
    await connection.close();
  });

  it("execute() of DDL is part of it and rolls back", async () => {
    const name = await table();
    const connection = place().connect();
    await connection.execute(`CREATE TABLE ${name}_new(n INTEGER)`);
    await connection.execute(`INSERT INTO ${name}_new VALUES(1)`);
    await connection.execute(`DROP TABLE ${name}`);
    await connection.rollback();
    const found = await place().rows(
      `SELECT name FROM sqlite_schema WHERE name LIKE '${name}%' AND type = 'table'`,
    );
    assert.deepEqual(found, [[name]]);
    await connection.close();
  });

  it("execute() of a PRAGMA that asks is answered in it, one that sets the node is refused", async () => {
    const name = await table();
    const connection = place().connect();
    await connection.execute(`INSERT INTO ${name} VALUES(1)`);
    const cursor = await connection.execute(`PRAGMA table_info(${name})`);
    assert.equal((await cursor.fetchAll()).length, 1);
    assert.equal(cursor.rowCount, -1);
    for (const sql of ["PRAGMA foreign_keys = 0", "VACUUM", "CREATE TEMP TABLE x(n)"]) {
      await assert.rejects(connection.execute(sql), NotSupportedError, sql);
    }
    await connection.commit();
    assert.deepEqual(await stored(name), [1]);
    await connection.close();
  });

  it("execute() that fails leaves the statements before it", async () => {
    const name = await table();
    const connection = place().connect();
    await connection.execute(`INSERT INTO ${name} VALUES(1)`);
    await assert.rejects(connection.execute(`INSERT INTO ${name} VALUES(1)`), {
      name: "IntegrityError",
      constraint: "unique",
    });
    assert.equal(connection.inTransaction, true);
    await connection.commit();
    assert.deepEqual(await stored(name), [1]);
    await connection.close();
  });

  it("execute() answers a read that cannot be checked, and then takes no more writes", async () => {
    const name = await place().table("t TEXT");
    const long = "x".repeat(500_000);
    await place().client.execute(`INSERT INTO ${name} VALUES(?)`, [long]);
    const insert = `INSERT INTO ${name} VALUES('more')`;
    for (
      const sql of [
        `SELECT t FROM ${name} LIMIT 1`,
        `SELECT 'x', random() > 0 FROM ${name}`,
        `SELECT 'x' FROM ${name} ORDER BY random()`,
      ]
    ) {
      const connection = place().connect();
      await connection.execute(insert);
      const cursor = await connection.execute(sql);
      const [[text]] = await cursor.fetchAll() as [[string]];
      assert.match(text, /^x+$/);
      await assert.rejects(connection.execute(insert), { name: "NotSupportedError" });
      await assert.rejects(cursor.executeMany(insert, [[]]), { name: "NotSupportedError" });
      await connection.commit();
      await connection.execute(insert);
      await connection.rollback();
      await connection.close();
    }
    assert.deepEqual(await place().rows(`SELECT count(*) FROM ${name}`), [[4]]);
  });

  it("timeout limits statements, not the time between them", async () => {
    const name = await table();
    const connection = place().connect({ timeout: 3000 });
    await connection.execute(`INSERT INTO ${name} VALUES(1)`);
    await new Promise((resolve) => setTimeout(resolve, 3100));
    await connection.commit();
    assert.deepEqual(await stored(name), [1]);
    await connection.close();
  });

  it("execute() without waiting goes on behind a first statement that fails", async () => {
    const name = await table();
    const lock = new ToldLock();
    const connection = place().connect({ lock });
    const attempts = await Promise.allSettled([
      connection.execute("SELECT * FROM no_such_table"),
      connection.execute(`INSERT INTO ${name} VALUES(1)`),
      connection.execute("SELECT * FROM no_such_table"),
    ]);
    await connection.commit();
    assert.deepEqual(attempts.map(({ status }) => status === "fulfilled"), [
      false,
      true,
      false,
    ]);
    assert.deepEqual(await stored(name), [1]);
    assert.deepEqual(lock.told, ["acquire", "release"]);
    await connection.close();
  });

  it("commit() reports a conflict, and the connection goes on", async () => {
    const name = await table();
    await place().client.execute(`INSERT INTO ${name} VALUES(1)`);
    const connection = place().connect();
    const cursor = await connection.execute(`SELECT n FROM ${name}`);
    const [n] = (await cursor.fetchOne())!;
    await place().client.execute(`UPDATE ${name} SET n = 5`);
    await cursor.execute(`UPDATE ${name} SET n = ?`, [Number(n) + 1]);
    const error = await connection.commit().catch((error: unknown) => error);
    assert.ok(error instanceof TransactionConflictError, String(error));
    assert.equal(error.retryable, true);
    assert.equal(connection.inTransaction, false);
    assert.deepEqual(await stored(name), [5]);
    await connection.execute(`UPDATE ${name} SET n = 6`);
    await connection.commit();
    assert.deepEqual(await stored(name), [6]);
    await connection.close();
  });

  it("run() commits, runs again after a conflict, and rolls back what throws", async () => {
    const name = await table();
    await place().client.execute(`INSERT INTO ${name} VALUES(1)`);
    for (const autocommit of [false, true]) {
      const connection = place().connect({ autocommit });
      let runs = 0;
      const seen = await run(connection, async () => {
        const cursor = await connection.execute(`SELECT n FROM ${name}`);
        const [n] = (await cursor.fetchOne())!;
        if (++runs === 1) await place().client.execute(`UPDATE ${name} SET n = n + 10`);
        await connection.execute(`UPDATE ${name} SET n = ?`, [Number(n) + 1]);
        return n;
      });
      assert.equal(runs, 2);
      assert.deepEqual(await stored(name), [Number(seen) + 1]);
      const failure = new Error("not today");
      await assert.rejects(
        run(connection, async () => {
          await connection.execute(`DELETE FROM ${name}`);
          throw failure;
        }),
        failure,
      );
      assert.equal(connection.inTransaction, false);
      assert.equal((await stored(name)).length, 1);
      await connection.execute("BEGIN");
      await assert.rejects(run(connection, () => Promise.resolve()), ProgrammingError);
      await connection.close();
    }
  });

  it("autocommit sends each statement by itself, and switches between transactions only", async () => {
    const name = await table();
    const connection = place().connect({ autocommit: true });
    await connection.execute(`INSERT INTO ${name} VALUES(1)`);
    assert.equal(connection.inTransaction, false);
    assert.deepEqual(await stored(name), [1]);
    await connection.rollback();
    await connection.commit();
    assert.deepEqual(await stored(name), [1]);
    connection.autocommit = false;
    await connection.execute(`INSERT INTO ${name} VALUES(2)`);
    assert.throws(() => connection.autocommit = true, ProgrammingError);
    connection.autocommit = false;
    assert.equal(connection.inTransaction, true);
    await connection.rollback();
    connection.autocommit = true;
    assert.deepEqual(await stored(name), [1]);
    assert.throws(() => Object.assign(connection, { autocommit: "yes" }), TypeError);
    await connection.close();
  });

  it("close() while a commit is waited for lets it finish", async () => {
    const name = await table();
    const connection = place().connect();
    await connection.execute(`INSERT INTO ${name} VALUES(1)`);
    const committed = connection.commit();
    await Promise.all([committed, connection.close()]);
    assert.deepEqual(await stored(name), [1]);
  });

  it("lock is taken by the first statement and freed by commit, rollback and close", async () => {
    const name = await table();
    const lock = new ToldLock();
    const connection = place().connect({ lock });
    assert.equal(connection.lock, lock);
    assert.deepEqual(lock.told, []);
    const ends = [() => connection.commit(), () => connection.rollback(), () => connection.close()];
    for (const [i, end] of ends.entries()) {
      await connection.execute(`INSERT INTO ${name} VALUES(?)`, [i]);
      await connection.execute(`SELECT n FROM ${name}`);
      assert.deepEqual(lock.told, ["acquire"]);
      await end();
      assert.deepEqual(lock.told.splice(0), ["acquire", "release"]);
    }
    assert.deepEqual(await stored(name), [0]);
  });

  it("lock is taken for each write by itself with autocommit, and for BEGIN", async () => {
    const name = await table();
    const lock = new ToldLock();
    const connection = place().connect({ lock, autocommit: true });
    await connection.execute(`SELECT n FROM ${name}`);
    assert.deepEqual(lock.told, []);
    await connection.execute(`INSERT INTO ${name} VALUES(1)`);
    assert.deepEqual(lock.told.splice(0), ["acquire", "release"]);
    await assert.rejects(connection.execute(`INSERT INTO ${name} VALUES(1)`), {
      name: "IntegrityError",
    });
    assert.deepEqual(lock.told.splice(0), ["acquire", "release"]);
    await connection.execute("BEGIN");
    await connection.execute(`INSERT INTO ${name} VALUES(2)`);
    assert.deepEqual(lock.told, ["acquire"]);
    await connection.commit();
    assert.deepEqual(lock.told, ["acquire", "release"]);
    await connection.close();
  });

  it("lock is not taken by a statement that is refused, and freed when the only one fails", async () => {
    const lock = new ToldLock();
    const connection = place().connect({ lock });
    await assert.rejects(connection.execute("SELECT ?", []), ProgrammingError);
    await assert.rejects(connection.execute("VACUUM"), NotSupportedError);
    assert.deepEqual(lock.told, []);
    await assert.rejects(connection.execute("SELECT * FROM no_such_table"), ProgrammingError);
    assert.deepEqual(lock.told, ["acquire", "release"]);
    assert.equal(connection.inTransaction, false);
    await connection.close();
  });

  it("lock that was lost ends the transaction: nothing is kept, also not by later statements", async () => {
    const name = await table();
    const lock = new ToldLock();
    const connection = place().connect({ lock });
    await connection.execute(`INSERT INTO ${name} VALUES(1)`);
    const lost = lock.lose();
    place().forget();
    await assert.rejects(connection.execute(`INSERT INTO ${name} VALUES(2)`), lost);
    assert.equal(connection.inTransaction, true);
    await assert.rejects(connection.commit(), LockLostError);
    assert.deepEqual(place().sent, []);
    assert.equal(connection.inTransaction, false);
    assert.deepEqual(await stored(name), []);
    await connection.execute(`INSERT INTO ${name} VALUES(3)`);
    await connection.commit();
    assert.deepEqual(await stored(name), [3]);
    await connection.close();
  });

  it("lock that cannot be had leaves the connection out of a transaction", async () => {
    const name = await table();
    const busy = new Error("busy");
    const lock = { name: "busy", acquire: () => Promise.reject(busy) };
    const connection = place().connect({ lock });
    place().forget();
    await assert.rejects(connection.execute(`INSERT INTO ${name} VALUES(1)`), busy);
    await assert.rejects(connection.execute("BEGIN"), busy);
    assert.equal(connection.inTransaction, false);
    assert.deepEqual(place().sent, []);
    await connection.close();
  });

  it("close() ends a statement that is under way", async () => {
    for (const autocommit of [false, true]) {
      const begun = Promise.withResolvers<void>();
      const fetch = (_: unknown, init?: RequestInit): Promise<Response> =>
        new Promise((_resolve, reject) => {
          init?.signal?.addEventListener("abort", () => reject(init.signal!.reason));
          begun.resolve();
        });
      const connection = place().connect({ autocommit, fetch: fetch as typeof globalThis.fetch });
      const read = assert.rejects(connection.execute("SELECT 1"), InterfaceError);
      await begun.promise;
      await connection.close();
      await read;
    }
  });

  it("close() ends the wait for a lock", async () => {
    const name = await table();
    const begun = Promise.withResolvers<void>();
    const lock = {
      name: "held by another",
      acquire: ({ signal }: { signal?: AbortSignal } = {}) =>
        new Promise<never>((_, reject) => {
          signal?.addEventListener("abort", () => reject(signal.reason));
          begun.resolve();
        }),
    };
    const connection = place().connect({ lock });
    const waiting = assert.rejects(connection.execute(`SELECT n FROM ${name}`), InterfaceError);
    await begun.promise;
    await connection.close();
    await waiting;
  });

  it("`timeout` limits the wait for a lock, with autocommit too", async () => {
    const name = await table();
    for (const autocommit of [false, true]) {
      const limits: number[] = [];
      const lock = {
        name: "busy",
        acquire: ({ timeout = Infinity }: { timeout?: number } = {}) => {
          limits.push(timeout);
          return Promise.reject(new LockTimeoutError("busy", { lock: "busy" }));
        },
      };
      const connection = place().connect({ lock, autocommit, timeout: 500 });
      await assert.rejects(connection.execute(`INSERT INTO ${name} VALUES(1)`), LockTimeoutError);
      assert.equal(limits.length, 1);
      assert.ok(limits[0]! <= 500, String(limits));
      await connection.close();
    }
  });
});
