import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import { NotSupportedError, ProgrammingError } from "../../src/errors.ts";
import { analyse } from "../../src/sql/analyse.ts";
import { refuse } from "../../src/sql/refuse.ts";

const control = (verb: string) =>
  `Cannot send ${verb} as requests share one connection per node: send the statements together with batch()`;
const several = (count: number) =>
  `Cannot send ${count} statements in one string as a node would run only some of them: ` +
  "send them one by one, with batch() or with script()";
const pragma = (name: string, advice = "set it where the node is started") =>
  `Cannot send PRAGMA ${name} as it would change the node for all its clients: ${advice}`;
const ENFORCED = "start rqlited with -fk or without, the embedded engine with `foreignKeys`";
const temporary = (verb: string) =>
  `Cannot send ${verb} of something temporary as it would stay on the connection that all clients share, in front ` +
  "of what has its name, until the node is started again: use an ordinary table";
const schema = (verb: string) =>
  `Cannot send ${verb} into another schema than main as nodes have nothing else in common: open a client for each database`;
const VACUUMED =
  "Cannot send VACUUM of another schema, or into a file, as that would be the node's own: read a backup from the node";
const attach = (verb: string) =>
  `Cannot send ${verb} as the attached file would exist on one node only: ` +
  "open a client for each database";

const DATABASE = new DatabaseSync(":memory:");
const ASKING =
  ("foreign_key_check foreign_key_list index_info index_list index_xinfo integrity_check quick_check " +
    "table_info table_list table_xinfo").split(" ");
const SETTABLE = [
  "application_id",
  "defer_foreign_keys",
  "incremental_vacuum",
  "optimize",
  "user_version",
];

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
      "Cannot send the statement as the string that begins at line 1, column 8 is not closed",
    ],
    [
      "SELECT 1\0",
      "Cannot send the statement as it holds a NUL character, at which SQLite would stop reading",
    ],
    [
      "SELECT \ud800",
      "Cannot send the statement as it holds half of a surrogate pair, which UTF-8 cannot express",
    ],
    ["SELECT 1 !", 'Cannot send the statement as "!" at line 1, column 10 is not SQL'],
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
    [
      "INSERT or Fail INTO t VALUES(1);",
      "Cannot send INSERT OR FAIL as the rows in front of the failing one would be kept though the write is reported as " +
      "not applied: use INSERT OR ABORT",
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
    ["PRAGMA foreign_keys = ON", pragma("foreign_keys", ENFORCED)],
    ["EXPLAIN PRAGMA foreign_keys(0)", pragma("foreign_keys", ENFORCED)],
    ["explain query plan pragma case_sensitive_like=1", pragma("case_sensitive_like", "use GLOB")],
    [
      "EXPLAIN PRAGMA user_version = 3",
      "Cannot explain PRAGMA user_version as that runs it: leave EXPLAIN out",
    ],
    ["PRAGMA temp.user_version = 3", pragma("user_version")],
    ["PRAGMA no_such_thing", pragma("no_such_thing")],
    ["PRAGMA shrink_memory", pragma("shrink_memory")],
    ["CREATE TEMP TABLE x(a)", temporary("CREATE")],
    ["create temporary view if not exists x as select 1", temporary("CREATE")],
    ["CREATE TEMP TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; END", temporary("CREATE")],
    ["CREATE TABLE temp.x(a)", temporary("CREATE")],
    ['CREATE TABLE IF NOT EXISTS "temp" . x AS SELECT 1', temporary("CREATE")],
    ["CREATE VIEW [TEMP].x AS SELECT 1", temporary("CREATE")],
    ["CREATE UNIQUE INDEX `temp`.x ON t(a)", temporary("CREATE")],
    ["CREATE VIRTUAL TABLE 'temp'.x USING fts5(a)", temporary("CREATE")],
    ["CREATE TRIGGER temp.x AFTER INSERT ON t BEGIN SELECT 1; END", temporary("CREATE")],
    ["DROP TABLE IF EXISTS temp.x", temporary("DROP")],
    ["DROP VIEW /* c */ temp.x", temporary("DROP")],
    ["DROP INDEX temp.x", temporary("DROP")],
    ["DROP TRIGGER temp.x", temporary("DROP")],
    ["ALTER TABLE temp.x RENAME TO y", temporary("ALTER")],
    ["INSERT INTO temp.x VALUES(1)", temporary("INSERT")],
    ["WITH a AS (SELECT 1) INSERT OR IGNORE INTO Temp.x SELECT * FROM a", temporary("INSERT")],
    ["REPLACE INTO temp.x VALUES(1)", temporary("REPLACE")],
    ["UPDATE OR IGNORE temp.x SET a = 1", temporary("UPDATE")],
    ["DELETE FROM temp.x", temporary("DELETE")],
    ["ANALYZE temp", temporary("ANALYZE")],
    ["ANALYZE sqlite_temp_master", temporary("ANALYZE")],
    ['analyze "SQLITE_TEMP_SCHEMA"', temporary("ANALYZE")],
    ["REINDEX temp.x", temporary("REINDEX")],
    ["DELETE FROM attached.x", schema("DELETE")],
    ["CREATE TABLE attached.x(a)", schema("CREATE")],
    ["VACUUM INTO '/tmp/x.db'", VACUUMED],
    ["VACUUM main INTO ?", VACUUMED],
    ["VACUUM /* c */ temp", VACUUMED],
  ];
  const names = DATABASE.prepare("SELECT name FROM pragma_pragma_list").all().map(({ name }) =>
    `${name}`
  );
  for (const name of names.filter((name) => !SETTABLE.includes(name) && !ASKING.includes(name))) {
    for (
      const form of [
        `${name} = 1`,
        `${name}(1)`,
        `main."${name}" = -1`,
        `/* c */ [${name.toUpperCase()}]=ON`,
      ]
    ) {
      it(`PRAGMA ${form}`, () => {
        assert.ok(refuse(analyse(`PRAGMA ${form}`)) instanceof NotSupportedError);
      });
    }
  }
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

describe("analyse() of every PRAGMA that SQLite has as a table", () => {
  const table = DATABASE.prepare("SELECT 1 FROM pragma_table_xinfo(?) WHERE name = 'arg'");
  it("knows all that take an argument: none of them sets anything", () => {
    const names = DATABASE.prepare("SELECT name FROM pragma_pragma_list ORDER BY name").all()
      .map(({ name }) => String(name));
    const taking = names.filter((name) => table.get(`pragma_${name}`) !== undefined);
    assert.deepEqual(taking.filter((name) => !ASKING.includes(name)), ["optimize"]);
  });
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
    "PRAGMA foreign_keys",
    "EXPLAIN PRAGMA foreign_keys",
    "PRAGMA user_version = 3",
    "PRAGMA main.application_id(-3)",
    "PRAGMA defer_foreign_keys = ON",
    "PRAGMA optimize",
    "PRAGMA optimize(0x10002)",
    "PRAGMA incremental_vacuum(10)",
    ...ASKING.flatMap((
      name,
    ) => [`PRAGMA ${name}`, `PRAGMA ${name}(t)`, `pragma temp.${name} = 't'`]),
    "VACUUM main",
    'vacuum "MAIN"',
    "CREATE TABLE temp(temp)",
    "INSERT INTO temp(temp) SELECT temp.temp FROM temp",
    "DELETE FROM view WHERE temp.a = 1",
    "UPDATE temp SET temp = 1 WHERE temp.temp = 2",
    'CREATE TABLE IF NOT EXISTS main."temp"(a)',
    "CREATE TRIGGER temp AFTER INSERT ON temp BEGIN SELECT new.a; END",
    "DROP TABLE temp",
    "ANALYZE",
    "REINDEX nocase",
    "INSERT OR ABORT INTO t VALUES(1)",
    "EXPLAIN SELECT 1",
    "VACUUM",
    "nonsense, for the node to name",
  ];
  for (const sql of statements) {
    it(JSON.stringify(sql), () => assert.equal(refuse(analyse(sql)), undefined));
  }
});
