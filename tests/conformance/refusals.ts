// What is refused before anything is sent, with its text; and what only looks like it, and works.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { freshTable, recorded, type Topic, valueOf } from "./target.ts";

const control = (verb: string): string =>
  `Cannot send ${verb} as requests share one connection per node: send the statements together with batch()`;
const several = (count: number): string =>
  `Cannot send ${count} statements in one string as a node would run only some of them: ` +
  "send them one by one, with batch() or with script()";
const rollback = (verb: string): string =>
  `Cannot send ${verb} OR ROLLBACK as it would end the transaction of the whole request: ` +
  `use ${verb} OR ABORT`;
const attach = (verb: string): string =>
  `Cannot send ${verb} as the attached file would exist on one node only: ` +
  "open a client for each database";
const pragma = (name: string): string =>
  `Cannot send PRAGMA ${name} as it would change the node for all its clients: ` +
  "set it where the node is started";
const temporary = (verb: string) =>
  `Cannot send ${verb} of something temporary as it would stay on the connection that all clients share, in front ` +
  "of what has its name, until the node is started again: use an ordinary table";
const VACUUMED =
  "Cannot send VACUUM of another schema, or into a file, as that would be the node's own: read a backup from the node";

const MISTAKES: readonly [sql: string, message: string][] = [
  ["SELECT 1; SELECT 2", several(2)],
  ["INSERT INTO t VALUES(1); -- c\nDELETE FROM t; SELECT 1", several(3)],
  ["SELECT 1; COMMIT", several(2)],
  ["BEGIN", control("BEGIN")],
  ["begin immediate transaction", control("BEGIN")],
  ["-- lead\n/* more */ ; BEGIN;", control("BEGIN")],
  ["COMMIT", control("COMMIT")],
  ["/* c */commit", control("COMMIT")],
  ["END", control("END")],
  ["end transaction", control("END")],
  ["ROLLBACK", control("ROLLBACK")],
  ["rollback to savepoint a", control("ROLLBACK")],
  ["SAVEPOINT a", control("SAVEPOINT")],
  ["savepoint /* c */ a", control("SAVEPOINT")],
  ["RELEASE a", control("RELEASE")],
  ["release savepoint a", control("RELEASE")],
  [
    "SELECT 'a",
    "Cannot send the statement as the string that begins at line 1, column 8 is not closed",
  ],
  [
    "SELECT 1\0",
    "Cannot send the statement as it holds a NUL character, at which SQLite would stop reading",
  ],
  [
    "SELECT '\ud800'",
    "Cannot send the statement as it holds half of a surrogate pair, which UTF-8 cannot express",
  ],
];

const UNSUPPORTED: readonly [sql: string, message: string][] = [
  ["INSERT OR ROLLBACK INTO t VALUES(1)", rollback("INSERT")],
  ["update or rollback t set a = 1", rollback("UPDATE")],
  ["WITH x AS (SELECT 1) INSERT OR ROLLBACK INTO t SELECT * FROM x", rollback("INSERT")],
  ["ATTACH 'a.db' AS a", attach("ATTACH")],
  ["/* c */ attach database 'a.db' as a", attach("ATTACH")],
  ["DETACH a", attach("DETACH")],
  ["PRAGMA journal_mode = DELETE", pragma("journal_mode")],
  ["pragma main.journal_mode(wal)", pragma("journal_mode")],
  ["/* c */ PRAGMA query_only(1)", pragma("query_only")],
  ["PRAGMA synchronous=OFF", pragma("synchronous")],
  ["PRAGMA wal_checkpoint", pragma("wal_checkpoint")],
  ["PRAGMA wal_checkpoint(TRUNCATE)", pragma("wal_checkpoint")],
  ["PRAGMA wal_autocheckpoint=1", pragma("wal_autocheckpoint")],
  ["PRAGMA locking_mode=EXCLUSIVE", pragma("locking_mode")],
  ["PRAGMA writable_schema=1", pragma("writable_schema")],
  ["/* c */ EXPLAIN PRAGMA hard_heap_limit(1)", pragma("hard_heap_limit")],
  ["PRAGMA /* c */ 'max_page_count' /* d */ = 7 -- e", pragma("max_page_count")],
  ["CREATE TEMP TABLE x(a)", temporary("CREATE")],
  ["CREATE VIEW [temp].x AS SELECT 1", temporary("CREATE")],
  ['WITH a AS (SELECT 1) INSERT INTO "temp".x SELECT * FROM a', temporary("INSERT")],
  ["DROP TABLE IF EXISTS temp.x", temporary("DROP")],
  ["VACUUM INTO '/tmp/never.db'", VACUUMED],
];

export const refusals: Topic = (target) => {
  const refused = (name: string, sql: string, message: string): void => {
    it(`${JSON.stringify(sql)} is a ${name}`, async () => {
      const { db, sent } = recorded(target());
      const expected = { name, message, sql };
      await assert.rejects(db.query(sql), expected);
      await assert.rejects(db.execute(sql), expected);
      await assert.rejects(db.execute(sql, [], { exactlyOnce: false }), expected);
      for (const atomic of [true, false]) {
        await assert.rejects(db.batch(["SELECT 1", sql], { atomic }), expected);
        await assert.rejects(db.batch(["SELECT 1", sql], { atomic }), { statementIndex: 1 });
      }
      assert.throws(() => db.iterate(sql), expected);
      assert.equal(sent.length, 0);
    });
  };
  describe("a statement that must not be sent", () => {
    for (const [sql, message] of MISTAKES) refused("ProgrammingError", sql, message);
    for (const [sql, message] of UNSUPPORTED) refused("NotSupportedError", sql, message);
  });

  describe("a statement that only looks like one", () => {
    it("reads from tables with such names", async () => {
      const { db } = target();
      for (
        const name of ["commits", '"rollback"', '"begin"', "[end]", "`savepoint`", "rollbacks"]
      ) {
        await db.execute(`DROP TABLE IF EXISTS ${name}`);
        await db.execute(`CREATE TABLE ${name}("commit", "release")`);
        await db.execute(`INSERT INTO ${name} VALUES('BEGIN', 'ATTACH; COMMIT')`);
        const { rows } = await db.query(`SELECT * FROM ${name} WHERE "commit" = 'BEGIN'`);
        assert.deepEqual(rows, [{ commit: "BEGIN", release: "ATTACH; COMMIT" }]);
        await db.execute(`DROP TABLE ${name}`);
      }
    });

    it("creates triggers with BEGIN … END, CASE … END and several statements", async () => {
      const { db } = target();
      const table = await freshTable(target(), "a");
      const log = await freshTable(target(), "what, a");
      await db.execute(
        `CREATE TRIGGER tr_${table} AFTER INSERT ON ${table} BEGIN
          -- BEGIN; COMMIT
          INSERT INTO ${log} VALUES(CASE WHEN new.a > 1 THEN 'big; END' ELSE 'small' END, new.a);
          UPDATE ${log} SET a = a * 2 WHERE what = 'small';
        END;`,
      );
      await db.batch([`INSERT INTO ${table} VALUES(1)`, `INSERT INTO ${table} VALUES(2)`]);
      const { rows } = await db.query(`SELECT what, a FROM ${log} ORDER BY rowid`);
      assert.deepEqual(rows, [{ what: "small", a: 4 }, { what: "big; END", a: 2 }]);
    });

    it("has ON CONFLICT ROLLBACK in its schema", async () => {
      await freshTable(target(), "a UNIQUE ON CONFLICT ROLLBACK");
    });

    it("reads a PRAGMA that must not be set", async () => {
      const { db } = target();
      assert.equal(typeof await valueOf(db, "PRAGMA wal_autocheckpoint"), "number");
      assert.equal(typeof await valueOf(db, "PRAGMA synchronous"), "number");
    });

    it("ends in a semicolon, or several", async () => {
      const { db } = target();
      assert.deepEqual((await db.query("SELECT 1 AS a;")).rows, [{ a: 1 }]);
      assert.deepEqual((await db.query(";SELECT 1 AS a;; ;-- c")).rows, [{ a: 1 }]);
    });

    it("has semicolons in literals, names and comments", async () => {
      const sql = `SELECT ';' AS "a;b" /* ; */ -- ;`;
      assert.deepEqual((await target().db.query(sql)).rows, [{ "a;b": ";" }]);
    });
  });
};
