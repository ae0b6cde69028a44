// The stack of an error begins with the line of the caller that made the call or awaits it.
import assert from "node:assert/strict";
import process from "node:process";
import { afterEach, beforeEach, describe, it } from "node:test";
import { type Client, connect, IntegrityError, RqliteError } from "../../mod.ts";
import { connect as connectDbapi } from "../../src/dbapi/mod.ts";
import { embedded, type EmbeddedEngine } from "../../src/embedded/mod.ts";
import { callerLine } from "../support/caller_line.ts";

/** The first line below the message. */
async function firstLine(failing: () => Promise<unknown>): Promise<string> {
  try {
    await failing();
  } catch (error) {
    assert.ok(error instanceof RqliteError, String(error));
    const [header] = error.stack!.replace(error.message, "message").split("\n");
    assert.equal(header, `${error.name}: message`);
    return callerLine(error);
  }
  assert.fail("Nothing was thrown");
}

const BAD = "INSERT INTO t VALUES(1)";

describe("the stack of an error begins with its caller", () => {
  let engine: EmbeddedEngine;
  let db: Client;

  beforeEach(async () => {
    engine = embedded();
    db = connect(engine);
    await db.execute("CREATE TABLE t(a UNIQUE)");
    await db.execute(BAD);
  });

  afterEach(async () => await db.close());

  const ofClient: Readonly<Record<string, (db: Client) => Promise<unknown>>> = {
    "query()": (db) => db.query("SELECT nonsense"),
    "execute()": (db) => db.execute(BAD),
    "execute() without an id": (db) => db.execute(BAD, [], { exactlyOnce: false }),
    "batch()": (db) => db.batch(["SELECT 1", BAD]),
    "insertMany()": (db) => db.insertMany("t", [[1]]),
    "insertMany(), of a row": (db) => db.insertMany("t", [[2], [3, 4]]),
    "script()": (db) => db.script(`SELECT 1; ${BAD}`),
    "transaction(), of its commit": (db) => {
      return db.transaction((tx) => tx.execute(BAD), { mode: "lazy" });
    },
  };
  for (const [name, call] of Object.entries(ofClient)) {
    it(name, async () => {
      async function awaitsIt(): Promise<void> {
        await call(db);
      }
      assert.match(await firstLine(awaitsIt), /awaitsIt .*stack_test/);
    });
  }

  it("query(), also where the promise is awaited later, or among others", async () => {
    async function awaitsLater(): Promise<void> {
      const promise = db.query("SELECT nonsense");
      await Promise.resolve();
      await promise;
    }
    assert.match(await firstLine(awaitsLater), /awaitsLater .*stack_test/);
  });

  it("what fails with a client that is closed, or cannot reach its node", async () => {
    await db.close();
    const lost = connect({ fetch: engine.fetch });
    async function awaitsClosed(): Promise<void> {
      await db.query("SELECT 1");
    }
    async function awaitsLost(): Promise<void> {
      await lost.execute(BAD);
    }
    assert.match(await firstLine(awaitsClosed), /awaitsClosed .*stack_test/);
    assert.match(await firstLine(awaitsLost), /awaitsLost .*stack_test/);
  });

  it("of iterate(), at once and for the rows", async () => {
    async function reads(sql: string, by?: string): Promise<void> {
      for await (const _ of db.iterate(sql, [], { by })) assert.fail("There is no row");
    }
    for (const sql of ["SELECT 1; SELECT 2", "SELECT nonsense FROM t", "SELECT * FROM t JOIN t"]) {
      assert.match(await firstLine(() => reads(sql)), /reads .*stack_test/, sql);
    }
    assert.match(await firstLine(() => reads("SELECT 1 FROM t", "b")), /reads .*stack_test/);
  });

  it("of a transaction's statements", async () => {
    async function issuesIt(issue: () => Promise<unknown>): Promise<void> {
      await issue();
    }
    const tx = await db.begin();
    const calls: Record<string, () => Promise<unknown>> = {
      execute: () => tx.execute(BAD),
      query: () => tx.query("SELECT nonsense"),
      batch: () => tx.batch(["SELECT 1", BAD]),
      rollbackTo: () => tx.rollbackTo("nowhere"),
      // JavaScriptCore drops the frame of a function that only calls another one at its end.
      nested: () => tx.transaction(async () => await tx.release("nowhere")),
    };
    for (const [name, call] of Object.entries(calls)) {
      assert.match(await firstLine(() => issuesIt(call)), /stack_test/, name);
    }
    await tx.rollback();
    async function commitsTwice(): Promise<void> {
      await tx.commit();
    }
    assert.match(await firstLine(commitsTwice), /commitsTwice .*stack_test/);
  });

  it("of a statement in the function of a transaction, which lets it through", async () => {
    async function inside(): Promise<void> {
      await db.transaction(async function work(tx) {
        await tx.execute(BAD);
      });
    }
    assert.match(await firstLine(inside), /work .*stack_test/);
  });

  it("of a statement that nobody awaited, at the commit", async () => {
    async function forgets(): Promise<void> {
      await db.transaction(function work(tx) {
        void tx.execute(BAD);
        return Promise.resolve();
      });
    }
    assert.match(await firstLine(forgets), /work .*stack_test/);
  });

  it("an error that the function of a transaction makes keeps its stack", async () => {
    const own = new IntegrityError("mine", { constraint: "check" });
    const { stack } = own;
    await assert.rejects(db.transaction(() => Promise.reject(own)), own);
    assert.equal(own.stack, stack);
  });

  it("of a connection and its cursors", async () => {
    const connection = connectDbapi({ fetch: engine.fetch });
    const cursor = connection.cursor();
    const calls: (() => Promise<unknown>)[] = [
      () => connection.execute(BAD),
      () => cursor.execute(BAD),
      () => cursor.executeMany("INSERT INTO t VALUES(?)", [[7], [1]]),
      () => cursor.fetchOne(),
      () => cursor.fetchAll(),
    ];
    async function awaitsIt(call: () => Promise<unknown>): Promise<void> {
      await call();
    }
    for (const call of calls) {
      assert.match(await firstLine(() => awaitsIt(call)), /awaitsIt .*stack_test/, String(call));
    }
    await connection.close();
  });

  it("keeps the stack that it has where nobody awaits the call", async () => {
    const error = await new Promise<unknown>((_, reject) => {
      db.query("SELECT nonsense").catch(reject);
    }).catch((error: unknown) => error);
    assert.ok(error instanceof RqliteError);
    assert.match(error.stack!, /\n +at /, process.version);
  });
});
