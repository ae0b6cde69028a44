// Conflict clauses that keep rows in front of the failing one, or end the transaction: a write that failed left nothing.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Client, IntegrityError, NotSupportedError } from "../../mod.ts";
import { PLACES } from "../transaction/world.ts";

const SCHEMA = [
  "CREATE TABLE t(a UNIQUE)",
  "CREATE TABLE constraint_fail(a UNIQUE ON CONFLICT FAIL)",
  "CREATE TABLE constraint_rollback(a UNIQUE ON CONFLICT ROLLBACK)",
  "CREATE TABLE trigger_fail(a)",
  "CREATE TRIGGER t1 BEFORE INSERT ON trigger_fail WHEN new.a = 3 BEGIN SELECT RAISE(FAIL, 'no'); END",
  "CREATE TABLE trigger_rollback(a)",
  "CREATE TRIGGER t2 BEFORE INSERT ON trigger_rollback WHEN new.a = 3 BEGIN SELECT RAISE(ROLLBACK, 'no'); END",
  "CREATE TABLE trigger_of_trigger(a)",
  "CREATE TRIGGER t3 AFTER INSERT ON trigger_of_trigger BEGIN INSERT INTO trigger_fail VALUES(new.a); END",
];
const TABLES = [
  "constraint_fail",
  "constraint_rollback",
  "trigger_fail",
  "trigger_rollback",
  "trigger_of_trigger",
];

type Way = (db: Client, sql: string) => Promise<unknown>;

const WAYS: Readonly<Record<string, Way>> = {
  "execute()": (db, sql) => db.execute(sql),
  "execute() without an id": (db, sql) => db.execute(sql, [], { exactlyOnce: false }),
  "batch() of one": (db, sql) => db.batch([sql]),
  "batch() of one without an id": (db, sql) => db.batch([sql], { exactlyOnce: false }),
  "batch()": (db, sql) => db.batch(["INSERT INTO t VALUES(9)", sql]),
  "batch() without an id": (db, sql) =>
    db.batch(["INSERT INTO t VALUES(9)", sql], { exactlyOnce: false }),
  "a transaction": (db, sql) => db.transaction((tx) => tx.execute(sql)),
  "a lazy transaction": (db, sql) => db.transaction((tx) => tx.execute(sql), { mode: "lazy" }),
};

for (const { name, skip, run } of PLACES) {
  describe(`A write that keeps rows by the schema, on ${name}`, { skip }, () => {
    for (const [what, way] of Object.entries(WAYS)) {
      it(`is undone as a whole by ${what}`, () =>
        run(async ({ connect, other, value }) => {
          await other.batch(SCHEMA);
          const db = connect({});
          for (const table of TABLES) {
            await db.execute(`INSERT INTO ${table} VALUES(0)`);
            for (const returning of ["", " RETURNING a"]) {
              const sql = `INSERT INTO ${table} VALUES(1), (2), (3), (0)${returning}`;
              await assert.rejects(way(db, sql), IntegrityError, sql);
              // A client that knows nothing of the schema yet.
              const fresh = connect({});
              await assert.rejects(way(fresh, sql), IntegrityError, sql);
              assert.equal(await value(`SELECT group_concat(a) FROM ${table}`), "0", sql);
            }
          }
          assert.equal(await value("SELECT count(*) FROM t"), 0);
          const { rows } = await other.query("SELECT count(*) AS n FROM trigger_fail");
          assert.deepEqual(rows, [{ n: 2 }], "its own row, and that of the trigger");
        }));
    }

    it("is refused where the statement itself says OR FAIL", () =>
      run(async ({ db }) => {
        for (
          const sql of [
            "INSERT OR FAIL INTO t VALUES(1)",
            "WITH x AS (SELECT 1) update or fail t SET a = 1",
          ]
        ) {
          for (const way of Object.values(WAYS)) {
            await assert.rejects(way(db, sql), (error: Error) => {
              assert.ok(error instanceof NotSupportedError);
              assert.match(
                error.message,
                /OR FAIL as the rows in front .*: use (INSERT|UPDATE) OR ABORT$/,
              );
              return true;
            });
          }
        }
      }));
  });
}
