// Infinity, which SQLite holds and the server cannot send: said where it stands, and what became of the write.
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { type Client, DataError, OutcomeUnknownError } from "../../mod.ts";
import { type Database, type DatabaseKind, DATABASES } from "../support/databases.ts";

const RETURNING = "INSERT INTO t(v) VALUES(9e999) RETURNING id, v";

function suite({ name, skip, open }: DatabaseKind): void {
  describe(`Infinity from ${name}`, { skip }, () => {
    let place: Database | undefined;
    let db: Client;
    before(async () => {
      place = await open();
      db = place.db;
    });
    after(() => place?.close());
    beforeEach(async () => {
      await db.batch([
        "DROP TABLE IF EXISTS t",
        "CREATE TABLE t(id INTEGER PRIMARY KEY, v REAL, u UNIQUE)",
        "INSERT INTO t VALUES(1, 9e999, 'taken')",
      ]);
    });

    const count = async (): Promise<unknown> =>
      (await db.query("SELECT count(*) AS n FROM t")).rows[0]!.n;

    it("is a DataError with its column and a remedy that works, on reads", async () => {
      const reads: Record<string, () => Promise<unknown>> = {
        query: () => db.query("SELECT id, v FROM t"),
        expression: () => db.query("SELECT 1 AS id, -9e999 AS v"),
        parameters: () => db.query("SELECT ? AS id, ? * 9e999 AS v", ["a", 2]),
        strong: () => db.query("SELECT id, v FROM t", [], { level: "strong" }),
        batch: () => db.batch(["SELECT 1", "SELECT id, v FROM t"]),
        iterate: async () => {
          for await (const _ of db.iterate("SELECT v FROM t")) assert.fail();
        },
      };
      for (const [way, read] of Object.entries(reads)) {
        await assert.rejects(read(), { name: "DataError", column: "v", retryable: false }, way);
      }
      await assert.rejects(db.query("SELECT v FROM t"), { message: /CAST\(… AS TEXT\)/ });
      const { rows } = await db.query("SELECT CAST(v AS TEXT) AS v FROM t");
      assert.deepEqual(rows, [{ v: "Inf" }]);
    });

    it("in rows of RETURNING is a DataError that says truly that the write was applied", async () => {
      for (const exactlyOnce of [true, false]) {
        const before = await count();
        const error = await db.execute(RETURNING, [], { exactlyOnce }).catch((e: unknown) => e);
        assert.ok(error instanceof DataError, String(error));
        assert.match(error.message, /^The write was applied, .*Infinity/);
        assert.equal(await count(), before as number + 1);
      }
    });

    it("in a batch says truly whether the batch was applied", async () => {
      const lists = [
        [RETURNING, "INSERT INTO t(v) VALUES(1)"],
        [RETURNING, "INSERT INTO t(u) VALUES('taken')"],
        ["INSERT INTO t(v) VALUES(1)", "SELECT v FROM t"],
      ];
      for (const exactlyOnce of [true, false]) {
        for (const list of lists) {
          const before = await count() as number;
          const error = await db.batch(list, { exactlyOnce }).catch((e: unknown) => e);
          const added = await count() as number - before;
          if (!exactlyOnce && error instanceof OutcomeUnknownError) {
            assert.match(error.message, /^Cannot tell whether the write was applied/);
            continue;
          }
          assert.ok(error instanceof DataError, String(error));
          assert.equal(/^The write was applied/.test(error.message), added > 0, error.message);
          assert.ok(added === 0 || added === list.length, list.join());
        }
      }
    });

    it("in a transaction is a DataError, and nothing is kept of what asked for it", async () => {
      const before = await count();
      const insert = "INSERT INTO t(v) VALUES(2)";
      const select = "SELECT id, v FROM t";
      for (const list of [[select], [insert, select], [insert, RETURNING], [RETURNING]]) {
        const run = db.transaction(async (tx) => {
          for (const sql of list) {
            await (sql === select ? tx.query(sql) : tx.execute(sql));
          }
        });
        await assert.rejects(run, { name: "DataError", message: /Infinity/ }, list.join());
        assert.equal(await count(), before, list.join());
      }
      await db.transaction((tx) => tx.execute("INSERT INTO t(v) VALUES(9e999)"));
      assert.equal(await count(), 2);
    });
  });
}

for (const kind of DATABASES) suite(kind);
