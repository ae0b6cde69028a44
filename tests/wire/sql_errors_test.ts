import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  DatabaseError,
  type DatabaseErrorInit,
  DataError,
  IntegrityError,
  NotSupportedError,
  OperationalError,
  OutcomeUnknownError,
  ProgrammingError,
  TimeoutError,
} from "../../src/errors.ts";
import { statementError } from "../../src/wire/sql_errors.ts";

type ErrorClass = new (message: string, init: never) => DatabaseError;

/** Every text that 10.3.0-dev and 8.26.8 gave for a statement in the recorded transcripts. */
const RECORDED: [ErrorClass, string, string[]][] = [
  [DataError, "ERR_DATA", [
    "Time.MarshalText: year outside of range [0,9999]",
  ]],
  [DataError, "SQLITE_ERROR", [
    "bad JSON path: 'my-text'",
    "bad JSON path: 'rqlite-conflict:0'",
    "bad JSON path: 'rqlite-conflict:1'",
    "bad JSON path: 'rqlite-end'",
    "integer overflow",
    "malformed JSON",
  ]],
  [DataError, "SQLITE_TOOBIG", [
    "string or blob too big",
  ]],
  [IntegrityError, "SQLITE_CONSTRAINT_CHECK", [
    "CHECK constraint failed: c > 0",
    "CHECK constraint failed: positive_d",
    "CHECK constraint failed: rqlite_lock_stale",
  ]],
  [IntegrityError, "SQLITE_CONSTRAINT_DATATYPE", [
    "cannot store TEXT value in INTEGER column st.i",
  ]],
  [IntegrityError, "SQLITE_CONSTRAINT_FOREIGNKEY", [
    "FOREIGN KEY constraint failed",
  ]],
  [IntegrityError, "SQLITE_CONSTRAINT_NOTNULL", [
    "NOT NULL constraint failed: k.n",
    "NOT NULL constraint failed: readme_products.price",
    "NOT NULL constraint failed: t.c",
  ]],
  [IntegrityError, "SQLITE_CONSTRAINT_TRIGGER", [
    "failed by trigger",
    "rolled back by trigger",
    "row 1 stays",
    "stopped by trigger",
  ]],
  [IntegrityError, "SQLITE_CONSTRAINT_UNIQUE", [
    "UNIQUE constraint failed: _probe.a",
    "UNIQUE constraint failed: accounts.name",
    "UNIQUE constraint failed: index 'ex'",
    "UNIQUE constraint failed: k.id",
    "UNIQUE constraint failed: k.u",
    "UNIQUE constraint failed: k2.a, k2.b",
    "UNIQUE constraint failed: readme_products.name",
    "UNIQUE constraint failed: rqlite_commit.id",
    "UNIQUE constraint failed: t.a",
    "UNIQUE constraint failed: t.b",
    "UNIQUE constraint failed: users.id",
    "UNIQUE constraint failed: w.k",
  ]],
  [IntegrityError, "SQLITE_MISMATCH", [
    "datatype mismatch",
  ]],
  [NotSupportedError, "SQLITE_AUTH", [
    "not authorized",
  ]],
  [NotSupportedError, "SQLITE_ERROR", [
    "cannot VACUUM from within a transaction",
    "cannot change out of wal mode from within a transaction",
  ]],
  [NotSupportedError, "SQLITE_READONLY", [
    "attempt to change database via query operation",
    "attempt to write a readonly database",
  ]],
  [OperationalError, "SQLITE_BUSY", [
    "database is locked",
  ]],
  [OperationalError, "SQLITE_ERROR", [
    "cannot start a transaction within a transaction",
  ]],
  [OutcomeUnknownError, "ERR_OUTCOME_UNKNOWN", [
    "execute timeout",
  ]],
  [ProgrammingError, "SQLITE_ERROR", [
    "1 values for 2 columns",
    "1st ORDER BY term out of range - should be between 1 and 3",
    "DISTINCT aggregates must have exactly one argument",
    "ESCAPE expression must be a single character",
    "Expression tree is too large (maximum depth 1000)",
    "ON CONFLICT clause does not match any PRIMARY KEY or UNIQUE constraint",
    "RAISE() may only be used within a trigger-program",
    "SELECTs to the left and right of UNION do not have the same number of result columns",
    "ambiguous column name: a",
    'cannot INSERT into generated column "g"',
    "cannot commit - no transaction is active",
    "cannot modify v because it is a view",
    "cannot modify vw because it is a view",
    "cannot rollback - no transaction is active",
    "duplicate column name: a",
    'fts5: syntax error near "AND"',
    "incomplete input",
    "index ex already exists",
    "misuse of aggregate function count()",
    'near ".3": syntax error',
    'near "?": syntax error',
    'near "INSERT": syntax error',
    'near "INSRT": syntax error',
    'near "SELEC": syntax error',
    'near "["INSERT INTO t VALUES(8)"]": syntax error',
    'near "["SELECT 1"]": syntax error',
    "no such collation sequence: NOPE",
    "no such column: nope",
    "no such column: t.nope",
    "no such column: x.a",
    "no such database: nope",
    "no such function: REGEXP",
    "no such function: if",
    "no such function: json_pretty",
    "no such function: load_extension",
    "no such function: nofunc",
    "no such function: readfile",
    "no such function: soundex",
    "no such function: sqrt",
    "no such index: nope",
    "no such module: nomodule",
    "no such savepoint: nope",
    "no such table: aux.t",
    "no such table: generate_series",
    "no such table: main.nope",
    "no such table: nope",
    "no such table: nope.t",
    "no such table: tmp",
    "no such table: users",
    "no such trigger: nope",
    "object name reserved for internal use: sqlite_x",
    "parser stack overflow",
    'table "q" has more than one primary key',
    "table log already exists",
    "table log has 1 columns but 3 values were supplied",
    "table log has no column named zz",
    "table sqlite_master may not be dropped",
    "table sqlite_master may not be modified",
    "table t has 3 columns but 1 values were supplied",
    "table t has no column named nope",
    "table t has no column named zz",
    "table t2 already exists",
    "too many SQL variables",
    "too many columns in result set",
    "too many terms in compound SELECT",
    "unable to use function MATCH in the requested context",
    'unknown datatype for q.a: "NOPE"',
    "unknown table option: NOPE",
    'unrecognized token: ""open"',
    'unrecognized token: "#"',
    'unrecognized token: "\'a"',
    'unrecognized token: "\'open"',
    'unrecognized token: "0x"',
    'unrecognized token: "1a"',
    'unrecognized token: "@"',
    "unrecognized token: \"x'4'\"",
    "use DROP TABLE to delete table t",
    "wrong number of arguments to function abs()",
    "wrong number of arguments to function substr()",
  ]],
  [ProgrammingError, "SQLITE_RANGE", [
    'name "$a" does not begin with a letter',
    'name "1" does not begin with a letter',
    'name ":a" does not begin with a letter',
    'name "@a" does not begin with a letter',
    'name "_x" does not begin with a letter',
    "not enough args to execute query: want 1 got 0",
    "not enough args to execute query: want 1 got 1",
    "not enough args to execute query: want 2 got 1",
    "not enough args to execute query: want 3 got 0",
    "not enough args to execute query: want 3 got 1",
    "not enough args to execute query: want 3 got 2",
    "not enough args to execute query: want 5 got 1",
    "variable number must be between ?1 and ?32766",
  ]],
  [TimeoutError, "ERR_TIMEOUT", [
    "query timeout",
  ]],
];

/** Texts of SQLite's, the driver's and rqlite's sources that no transcript holds. */
const READ: [ErrorClass, string, string[]][] = [
  [IntegrityError, "SQLITE_CONSTRAINT_CHECK", ["CHECK constraint failed"]],
  [IntegrityError, "SQLITE_CONSTRAINT_ROWID", ["UNIQUE constraint failed: t.rowid"]],
  [IntegrityError, "SQLITE_CONSTRAINT", ["rtree constraint failed: r.(a<=b)", "constraint failed"]],
  [OperationalError, "SQLITE_BUSY", [
    "database is locked: resource temporarily unavailable",
    "cannot commit transaction - SQL statements in progress",
  ]],
  [OperationalError, "SQLITE_LOCKED", ["database table is locked", "database table is locked: t"]],
  [OperationalError, "SQLITE_FULL", ["database or disk is full: no space left on device"]],
  [OperationalError, "SQLITE_IOERR", ["disk I/O error: input/output error", "disk I/O error"]],
  [OperationalError, "SQLITE_CORRUPT", [
    "database disk image is malformed",
    "malformed database schema (t)",
  ]],
  [OperationalError, "SQLITE_CANTOPEN", ["unable to open database file: permission denied"]],
  [OperationalError, "SQLITE_INTERRUPT", ["interrupted"]],
  [OperationalError, "SQLITE_NOMEM", ["out of memory"]],
  [OperationalError, "SQLITE_SCHEMA", [
    "database schema has changed",
    "database schema is locked: main",
  ]],
  [DataError, "SQLITE_ERROR", [
    "JSON cannot hold BLOB values",
    "json_object() labels must be TEXT",
    "LIKE or GLOB pattern too complex",
  ]],
  [NotSupportedError, "SQLITE_ERROR", ["Safety level may not be changed inside a transaction"]],
  [ProgrammingError, "SQLITE_ERROR", [
    "SQL logic error",
    "no such view: v",
    "there is already another table or index with this name: vw",
    "sub-select returns 2 columns - expected 1",
    'foreign key mismatch - "c" referencing "p"',
    "too many levels of trigger recursion",
    "HAVING clause on a non-aggregate query",
    "ORDER BY clause should come after UNION not before",
    "a JOIN clause is required before ON",
    "row value misused",
    "hex literal too big: 0x11111111111111111",
    "circular reference: a",
    'cannot UPDATE generated column "g"',
    'cannot drop column "a": no other columns exist',
    "Cannot add a PRIMARY KEY column",
    "error in view v after drop column: no such column: a",
  ]],
];

const insert: DatabaseErrorInit = { sql: "INSERT INTO t VALUES(1)" };

describe("statementError()", () => {
  for (const [type, code, texts] of [...RECORDED, ...READ]) {
    for (const text of texts) {
      it(`makes ${type.name} ${code} of ${text}`, () => {
        const error = statementError(text, insert);
        assert.equal(error.constructor, type);
        assert.equal(error.code, code);
        assert.ok(error.message.startsWith(text), error.message);
        assert.ok(!error.retryable || error instanceof TimeoutError);
      });
    }
  }

  const VIOLATIONS: [string, string, string | undefined, string[]][] = [
    ["UNIQUE constraint failed: t.id", "unique", "t", ["id"]],
    ["UNIQUE constraint failed: c.a, c.s", "unique", "c", ["a", "s"]],
    ["UNIQUE constraint failed: a b.x, y, a b.z", "unique", "a b", ["x, y", "z"]],
    ["UNIQUE constraint failed: index 'ix'", "unique", undefined, []],
    ["UNIQUE constraint failed: t.rowid", "rowid", "t", ["rowid"]],
    ["UNIQUE constraint failed: t.rowid, t.a", "unique", "t", ["rowid", "a"]],
    ["NOT NULL constraint failed: c.a", "notnull", "c", ["a"]],
    ["CHECK constraint failed: length(t.b) < 3", "check", undefined, []],
    ["FOREIGN KEY constraint failed", "foreignkey", undefined, []],
    ["cannot store TEXT value in INTEGER column st.a", "datatype", "st", ["a"]],
    ["datatype mismatch", "datatype", undefined, []],
    ["whatever RAISE says", "trigger", undefined, []],
  ];
  for (const [text, constraint, table, columns] of VIOLATIONS) {
    it(`reads constraint, table and columns of ${text}`, () => {
      const error = statementError(text, insert);
      assert.ok(error instanceof IntegrityError);
      assert.equal(error.constraint, constraint);
      assert.equal(error.table, table);
      assert.deepEqual(error.columns, columns);
      assert.equal(error.message, text);
    });
  }

  it("takes an unknown text for a trigger's where a trigger can fire", () => {
    const fires = [
      "insert into t values(1)",
      "/* a */ -- b\n UPDATE t SET a = 1",
      "REPLACE INTO t VALUES(1)",
      "DELETE FROM t",
      "WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x",
    ];
    for (const sql of fires) {
      assert.ok(statementError("no", { sql }) instanceof IntegrityError, sql);
    }
    for (const sql of ["SELECT 1", "CREATE TABLE t(a)", "-- INSERT INTO t", "PRAGMA x", ""]) {
      assert.equal(statementError("no", { sql }).constructor, DatabaseError, sql);
    }
    assert.equal(statementError("no", {}).constructor, DatabaseError);
  });

  it("does not mistake a trigger's text for a message that begins alike", () => {
    for (
      const text of [
        "cannot modify archived orders",
        "no such luck",
        "table is full",
        "trigger happy",
      ]
    ) {
      assert.ok(statementError(text, insert) instanceof IntegrityError, text);
    }
  });

  it("takes texts of several lines", () => {
    const error = statementError('near "a\nb": syntax error', insert);
    assert.ok(error instanceof ProgrammingError);
    const check = statementError("CHECK constraint failed: a\n> 1", insert);
    assert.ok(check instanceof IntegrityError);
    assert.equal(check.constraint, "check");
  });

  it("carries statement, position and results", () => {
    const init = { sql: "SELECT", statementIndex: 2, results: [] };
    for (const text of ["incomplete input", "UNIQUE constraint failed: a.b", "x"]) {
      const { sql, statementIndex, results } = statementError(text, init);
      assert.deepEqual({ sql, statementIndex, results }, init);
    }
  });
});
