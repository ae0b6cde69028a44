// The facts of docs/internals/server.md, one test each: 1 to 6
// and 9. The others are in facts_statements_test.ts (10 to 13, 22, 27 to 29),
// facts_rewriting_test.ts (14 to 19, 21) and facts_cluster_test.ts (20, 23 to 26, 30).
//
// Not met by a user of this client, and so without a test:
//  7: speculation is how atomic batches see their errors; the tests of facts 2 to 4 show its effect.
//  8: no guards are sent before there are transactions.
// 31: CDC is configured on the server and sends to others; no call of the client touches it.
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import {
  type Client,
  connect,
  DatabaseError,
  IntegrityError,
  ProgrammingError,
  type Statement,
} from "../../mod.ts";
import { type Rqlited, skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";
import { cell, failureOf, type Recorder, recorder } from "./helpers.ts";

const INSERT_1 = "INSERT INTO t VALUES(1, 'a')";
const INSERT_3 = "INSERT INTO t VALUES(3, 'c')";

describe("batches on a real server", { skip: skipWithoutRqlited() }, () => {
  let server: Rqlited;
  let db: Client;
  let wire: Recorder;

  before(async () => {
    server = await startRqlited();
  });

  after(async () => await server.stop());

  beforeEach(async () => {
    await server.sql("DROP TABLE IF EXISTS t", "CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT)");
    wire = recorder();
    db = connect(server.url, { fetch: wire.fetch });
  });

  const count = () => cell(server, "SELECT count(*) FROM t");

  /** The batch's error; whatever it is, nothing of the batch may be kept. */
  async function refused(statements: readonly Statement[]): Promise<DatabaseError> {
    const error = await failureOf(db.batch(statements));
    assert.ok(error instanceof DatabaseError, String(error));
    assert.equal(await count(), 0);
    return error;
  }

  it("fact 1: an error in an atomic batch undoes it, and the error says where it was", async () => {
    const constraint = await refused([INSERT_1, "INSERT INTO t VALUES(1, 'b')", INSERT_3]);
    assert.ok(constraint instanceof IntegrityError);
    assert.equal(constraint.statementIndex, 1);
    assert.equal(constraint.results?.length, 1);
    const compile = await refused([INSERT_1, "INSERT INTO nope VALUES(1)", INSERT_3]);
    assert.ok(compile instanceof ProgrammingError);
    assert.equal(compile.statementIndex, 1);
    wire.sent.length = 0;
    const bind = await refused([INSERT_1, ["INSERT INTO t VALUES(?, ?)", 2]]);
    assert.ok(bind instanceof ProgrammingError);
    assert.deepEqual(wire.sent, []);
  });

  it("fact 2: an error in a statement with RETURNING undoes the batch", async () => {
    const failing = [
      "INSERT INTO t VALUES(1, 'b') RETURNING id",
      "INSERT INTO nope VALUES(1) RETURNING *",
      "INSERT INTO t(id, v) VALUES(9, json('{bad')) RETURNING id",
    ];
    for (const sql of failing) {
      const error = await refused([INSERT_1, sql, INSERT_3]);
      assert.equal(error.statementIndex, 1, sql);
      assert.equal(error.sql, sql);
    }
    const last = await refused([INSERT_1, failing[0]!]);
    assert.equal(last.statementIndex, 1);
  });

  it("fact 2: a batch with RETURNING that succeeds is applied once and has its rows", async () => {
    const results = await db.batch([
      INSERT_1,
      ["INSERT INTO t(v) VALUES(?) RETURNING id, v", "b"],
      "UPDATE t SET v = v || '!' RETURNING v",
    ]);
    assert.deepEqual(results[1]?.rows, [{ id: 2, v: "b" }]);
    assert.deepEqual(results[2]?.rows, [{ v: "a!" }, { v: "b!" }]);
    assert.equal(await count(), 2);
  });

  it("fact 3: a statement that does not compile undoes a batch of reads and writes", async () => {
    for (const wrong of ["SELECT nope FROM t", "INSERT INTO nope VALUES(1)", "SELEC 1"]) {
      const error = await refused([INSERT_1, "SELECT count(*) AS n FROM t", wrong, INSERT_3]);
      assert.ok(error instanceof ProgrammingError, wrong);
      assert.equal(error.statementIndex, 2, wrong);
    }
    assert.equal((await refused([INSERT_1, "SELECT nope FROM t"])).statementIndex, 1);
  });

  it("fact 4: a statement that fails while running undoes a batch of reads and writes", async () => {
    const error = await refused([INSERT_1, "SELECT v FROM t", "SELECT json('{bad')", INSERT_3]);
    assert.equal(error.statementIndex, 2);
    assert.deepEqual(error.results?.[1]?.rows, [{ v: "a" }]);
    const late = await refused([INSERT_1, "SELECT 1", "INSERT INTO t VALUES(1, 'b') RETURNING id"]);
    assert.ok(late instanceof IntegrityError);
  });

  it("fact 4: a batch of reads and writes that succeeds is applied once, in order", async () => {
    const results = await db.batch([INSERT_1, "SELECT count(*) AS n FROM t", INSERT_3]);
    assert.deepEqual(results[1]?.rows, [{ n: 1 }]);
    assert.equal(results[2]?.lastInsertId, 3);
    assert.equal(results.length, 3);
    assert.equal(await count(), 2);
  });

  it("fact 5: OR ROLLBACK never leaves the client", async () => {
    const sql = "INSERT OR ROLLBACK INTO t VALUES(1, 'b') RETURNING id";
    const error = await failureOf(db.batch([INSERT_1, sql, INSERT_3]));
    assert.match(String(error), /OR ROLLBACK.*OR ABORT/);
    assert.deepEqual(wire.sent, []);
    assert.equal(await count(), 0);
  });

  it("fact 6: a stray COMMIT or ROLLBACK never leaves the client", async () => {
    const words = ["COMMIT", "/* c */ rollback", "END TRANSACTION", "BEGIN", "SAVEPOINT s"];
    for (const sql of [...words, "-- c\nRELEASE s;"]) {
      const error = await failureOf(db.batch([INSERT_1, sql, INSERT_3]));
      assert.ok(error instanceof ProgrammingError, sql);
    }
    assert.deepEqual(wire.sent, []);
    await db.execute("INSERT INTO t VALUES(1, 'COMMIT'), (2, '; ROLLBACK')");
    assert.equal(await count(), 2);
  });

  it("fact 9: a SELECT given to execute() or to a batch is evaluated to its end", async () => {
    await server.sql("INSERT INTO t VALUES(1, '{}'), (2, '{bad'), (3, '{}')");
    const { rows } = await db.execute("SELECT id FROM t ORDER BY id");
    assert.deepEqual(rows, [{ id: 1 }, { id: 2 }, { id: 3 }]);
    await assert.rejects(db.execute("SELECT json(v) FROM t ORDER BY id"), DatabaseError);
    const error = await failureOf(
      db.batch(["DELETE FROM t WHERE id = 3", "SELECT json(v) FROM t ORDER BY id"]),
    );
    assert.ok(error instanceof DatabaseError);
    assert.equal(error.statementIndex, 1);
    assert.equal(await count(), 3);
  });
});
