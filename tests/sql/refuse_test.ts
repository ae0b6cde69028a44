import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { NotSupportedError, ProgrammingError } from "../../src/errors.ts";
import { analyse } from "../../src/sql/analyse.ts";
import { refuse } from "../../src/sql/refuse.ts";

const control = (verb: string) =>
  `Cannot send ${verb} as requests share one connection per node: send the statements together with batch()`;
const several = (count: number) =>
  `Cannot send ${count} statements in one string as a node would run only some of them: ` +
  "send them one by one or with batch()";
const pragma = (name: string) =>
  `Cannot send PRAGMA ${name} as it would change the node for all its clients: ` +
  "set it where the node is started";
const attach = (verb: string) =>
  `Cannot send ${verb} as the attached file would exist on one node only: ` +
  "open a client for each database";

describe("refuse() as a mistake", () => {
  const cases: readonly [sql: string, message: string][] = [
    ["SELECT 1; SELECT 2", several(2)],
    ["SELECT 1; -- a\nBEGIN; x", several(3)],
    ["BEGIN", control("BEGIN")],
    ["/* a */ begin immediate;", control("BEGIN")],
    ["COMMIT", control("COMMIT")],
    ["end", control("END")],
    ["ROLLBACK", control("ROLLBACK")],
    ["ROLLBACK TO a", control("ROLLBACK")],
    ["SAVEPOINT a", control("SAVEPOINT")],
    ["RELEASE a", control("RELEASE")],
    [
      "SELECT 'a",
      "Cannot send the statement as the string that begins at character 8 is not closed",
    ],
    [
      "SELECT 1\0",
      "Cannot send the statement as it holds a NUL character, at which SQLite would stop reading",
    ],
    [
      "SELECT \ud800",
      "Cannot send the statement as it holds half of a surrogate pair, which UTF-8 cannot express",
    ],
    ["SELECT 1 !", 'Cannot send the statement as "!" at character 10 is not SQL'],
  ];
  for (const [sql, message] of cases) {
    it(JSON.stringify(sql), () => {
      const error = refuse(analyse(sql), 2);
      assert.ok(error instanceof ProgrammingError);
      assert.deepEqual([error.message, error.code, error.sql, error.statementIndex], [
        message,
        "ERR_PROGRAMMING",
        sql,
        2,
      ]);
    });
  }
});

describe("refuse() as not supported", () => {
  const cases: readonly [sql: string, message: string][] = [
    [
      "INSERT OR ROLLBACK INTO t VALUES(1)",
      "Cannot send INSERT OR ROLLBACK as it would end the transaction of the whole request: " +
      "use INSERT OR ABORT",
    ],
    [
      "WITH a AS (SELECT 1) update or rollback t set a = 1 returning a",
      "Cannot send UPDATE OR ROLLBACK as it would end the transaction of the whole request: " +
      "use UPDATE OR ABORT",
    ],
    ["ATTACH 'a.db' AS a", attach("ATTACH")],
    ["DETACH a", attach("DETACH")],
    ["PRAGMA journal_mode = DELETE", pragma("journal_mode")],
    ["pragma main.JOURNAL_MODE(wal)", pragma("journal_mode")],
    ["PRAGMA wal_checkpoint", pragma("wal_checkpoint")],
    ["PRAGMA wal_checkpoint(TRUNCATE)", pragma("wal_checkpoint")],
    ["PRAGMA wal_autocheckpoint=1", pragma("wal_autocheckpoint")],
    ["PRAGMA synchronous=OFF", pragma("synchronous")],
    ['PRAGMA "query_only"(1)', pragma("query_only")],
    ["PRAGMA locking_mode=EXCLUSIVE", pragma("locking_mode")],
    ["PRAGMA writable_schema=1", pragma("writable_schema")],
  ];
  for (const [sql, message] of cases) {
    it(sql, () => {
      const error = refuse(analyse(sql));
      assert.ok(error instanceof NotSupportedError);
      assert.deepEqual([error.message, error.code, error.sql, error.statementIndex], [
        message,
        "ERR_NOT_SUPPORTED",
        sql,
        undefined,
      ]);
    });
  }
});

describe("refuse() lets pass", () => {
  const statements = [
    "",
    " -- only a comment",
    "SELECT * FROM commits",
    "SELECT 'BEGIN; COMMIT'",
    'SELECT "rollback" FROM savepoint',
    "INSERT INTO \"begin\" VALUES('ATTACH')",
    "CREATE TRIGGER r AFTER INSERT ON t BEGIN INSERT INTO u VALUES(1); SELECT 1; END",
    "CREATE TABLE t(a UNIQUE ON CONFLICT ROLLBACK)",
    "SELECT 1;",
    "PRAGMA journal_mode",
    "PRAGMA synchronous",
    "PRAGMA foreign_keys = ON",
    "PRAGMA user_version = 3",
    "PRAGMA table_info(t)",
    "INSERT OR ABORT INTO t VALUES(1)",
    "EXPLAIN SELECT 1",
    "VACUUM",
    "nonsense, for the node to name",
  ];
  for (const sql of statements) {
    it(JSON.stringify(sql), () => assert.equal(refuse(analyse(sql)), undefined));
  }
});
