// What an error of a statement says, and that nothing was kept of it.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DatabaseError, IntegrityError, ProgrammingError } from "../../mod.ts";
import { freshName, freshTable, type Target, thrownBy, type Topic, valueOf } from "./target.ts";

interface Violation {
  /** `#` is the table's name. */
  readonly table: string;
  readonly before?: readonly string[];
  readonly sql: string;
  readonly constraint: IntegrityError["constraint"];
  readonly code: string;
  readonly columns?: readonly string[];
  readonly message: string;
}

const VIOLATIONS: Readonly<Record<string, Violation>> = {
  "a UNIQUE column": {
    table: "(a UNIQUE)",
    before: ["INSERT INTO # VALUES(1)"],
    sql: "INSERT INTO # VALUES(1)",
    constraint: "unique",
    code: "SQLITE_CONSTRAINT_UNIQUE",
    columns: ["a"],
    message: "UNIQUE constraint failed: #.a",
  },
  "UNIQUE over two columns": {
    table: "(a, b, UNIQUE(a, b))",
    before: ["INSERT INTO # VALUES(1, 2)"],
    sql: "INSERT INTO # VALUES(0, 0), (1, 2)",
    constraint: "unique",
    code: "SQLITE_CONSTRAINT_UNIQUE",
    columns: ["a", "b"],
    message: "UNIQUE constraint failed: #.a, #.b",
  },
  "a UNIQUE index over an expression": {
    table: "(a)",
    before: ["CREATE UNIQUE INDEX ix_# ON #(lower(a))", "INSERT INTO # VALUES('x')"],
    sql: "INSERT INTO # VALUES('X')",
    constraint: "unique",
    code: "SQLITE_CONSTRAINT_UNIQUE",
    message: "UNIQUE constraint failed: index 'ix_#'",
  },
  "an INTEGER PRIMARY KEY": {
    table: "(id INTEGER PRIMARY KEY)",
    before: ["INSERT INTO # VALUES(1)"],
    sql: "INSERT INTO # VALUES(1)",
    constraint: "unique",
    code: "SQLITE_CONSTRAINT_UNIQUE",
    columns: ["id"],
    message: "UNIQUE constraint failed: #.id",
  },
  "a PRIMARY KEY without rowid": {
    table: "(id TEXT PRIMARY KEY) WITHOUT ROWID",
    before: ["INSERT INTO # VALUES('a')"],
    sql: "UPDATE # SET id = 'a' WHERE 1; ",
    constraint: "unique",
    code: "SQLITE_CONSTRAINT_UNIQUE",
    columns: ["id"],
    message: "UNIQUE constraint failed: #.id",
  },
  "a rowid": {
    table: "(a)",
    before: ["INSERT INTO #(rowid, a) VALUES(1, 1)"],
    sql: "INSERT INTO #(rowid, a) VALUES(1, 2)",
    constraint: "rowid",
    code: "SQLITE_CONSTRAINT_ROWID",
    columns: ["rowid"],
    message: "UNIQUE constraint failed: #.rowid",
  },
  "NOT NULL": {
    table: "(a, b NOT NULL)",
    sql: "INSERT INTO #(a) VALUES(1)",
    constraint: "notnull",
    code: "SQLITE_CONSTRAINT_NOTNULL",
    columns: ["b"],
    message: "NOT NULL constraint failed: #.b",
  },
  "a CHECK": {
    table: "(a CHECK(a < 3))",
    sql: "INSERT INTO # VALUES(3)",
    constraint: "check",
    code: "SQLITE_CONSTRAINT_CHECK",
    message: "CHECK constraint failed: a < 3",
  },
  "a CHECK with a name": {
    table: "(a, CONSTRAINT small CHECK(a < 3))",
    sql: "INSERT INTO # VALUES(3)",
    constraint: "check",
    code: "SQLITE_CONSTRAINT_CHECK",
    message: "CHECK constraint failed: small",
  },
  "a STRICT column": {
    table: "(a INTEGER) STRICT",
    sql: "INSERT INTO # VALUES('x')",
    constraint: "datatype",
    code: "SQLITE_CONSTRAINT_DATATYPE",
    columns: ["a"],
    message: "cannot store TEXT value in INTEGER column #.a",
  },
  "a rowid that is no integer": {
    table: "(id INTEGER PRIMARY KEY)",
    sql: "INSERT INTO # VALUES('x')",
    constraint: "datatype",
    code: "SQLITE_MISMATCH",
    message: "datatype mismatch",
  },
  "a trigger": {
    table: "(a)",
    before: [
      "CREATE TRIGGER tr_# BEFORE INSERT ON # WHEN new.a > 5 " +
      "BEGIN SELECT CASE WHEN 1 THEN RAISE(ABORT, 'too much of a') END; END",
    ],
    sql: "INSERT INTO # VALUES(6)",
    constraint: "trigger",
    code: "SQLITE_CONSTRAINT_TRIGGER",
    message: "too much of a",
  },
};

export const errors: Topic = (target) => {
  violations(target);
  mistakes(target);
  places(target);
};

/** A statement, and the line and column of what is wrong in it; `#` is the table's name. */
const PLACES: readonly [sql: string, line: number, column: number][] = [
  ["SELEC 1", 1, 1],
  ["SELECT a\n  FORM # WHERE a = 1", 2, 8],
  ["-- #\nSELECT a FRM #, '#'\n", 2, 14],
  ["SELECT a,\n 'ü' || nonsense FROM #", 2, 9],
  ["SELECT x.nonsense FROM # x", 1, 10],
  ['SELECT [a] FROM # WHERE "a" = nofunc(1)', 1, 31],
  ["SELECT a\nFROM nope", 2, 6],
  ["UPDATE # SET a = 1,\n\tzz = 2", 2, 2],
  // What the client writes into the statement before it is sent does not move the place.
  ["INSERT INTO #(a, b) VALUES(datetime('now'), random())\n  RETURNING zz", 2, 13],
  ["INSERT INTO #(a, b)\nVALUES(CURRENT_TIMESTAMP, abs(random()) FROM)", 2, 41],
];

const places: Topic = (target) => {
  describe("the place of an error in the statement", () => {
    for (const [pattern, line, column] of PLACES) {
      it(`is line ${line}, column ${column} of ${JSON.stringify(pattern)}`, async () => {
        const { db } = target();
        const table = await freshTable(target(), "a, b");
        const sql = pattern.replaceAll("#", table);
        const wanted = { line, column: column + placeShift(pattern, table, line, column) };
        const calls = [
          () => db.execute(sql),
          () => db.batch([`INSERT INTO ${table}(a) VALUES(1)`, sql]),
          () => db.batch([sql, "SELECT 1"], { atomic: false }),
          () => db.transaction((tx) => tx.execute(sql)),
        ];
        for (const call of calls) {
          const error = await thrownBy(call());
          assert.ok(error instanceof DatabaseError, String(error));
          assert.deepEqual([error.sql, error.position], [sql, wanted], error.message);
          const place = ` at line ${line}, column ${wanted.column} of the statement: `;
          assert.ok(error.message.includes(place), error.message);
        }
      });
    }

    it("is all places where it can be, if they are few, and left out of `position`", async () => {
      const { db } = target();
      const error = await thrownBy(db.query("SELECT 1 FROM (SELECT 2 FROM FROM)"));
      assert.ok(error instanceof ProgrammingError);
      assert.match(
        error.message,
        /^near "FROM": syntax error at line 1, column 10 or line 1, column 25 or line 1, column 30 of the statement$/,
      );
      assert.ok(!("position" in error));
    });

    it("is told of what is not closed, which is never sent", async () => {
      const error = await thrownBy(target().db.query("SELECT 1,\n 'abc"));
      assert.equal(
        error.message,
        "Cannot send the statement as the string that begins at line 2, column 2 is not closed",
      );
    });

    it("is not there where the server names nothing of the statement", async () => {
      const { db } = target();
      const table = await freshTable(target(), "a UNIQUE");
      await db.execute(`INSERT INTO ${table} VALUES(1)`);
      const error = await thrownBy(db.execute(`INSERT INTO ${table} VALUES(1)`));
      assert.equal(error.message, `UNIQUE constraint failed: ${table}.a`);
      assert.ok(!("position" in error));
    });
  });
};

/** How far names of tables in front of the place move it. */
function placeShift(pattern: string, table: string, line: number, column: number): number {
  const before = pattern.split("\n")[line - 1]!.slice(0, column - 1);
  return (before.split("#").length - 1) * (table.length - 1);
}

const violations: Topic = (target) => {
  describe("a violated constraint is an IntegrityError", () => {
    for (const [what, violation] of Object.entries(VIOLATIONS)) {
      const named = violation.columns !== undefined;
      it(`of ${what}`, async () => {
        const { db } = target();
        const table = freshName();
        const fill = (sql: string): string => sql.replaceAll("#", table);
        const setUp = [`CREATE TABLE #${violation.table}`, ...violation.before ?? []];
        for (const sql of setUp) await db.execute(fill(sql));
        if (what.includes("without rowid")) await db.execute(fill("INSERT INTO # VALUES('b')"));
        const before = (await db.query(`SELECT * FROM ${table}`)).rows;
        const sql = fill(violation.sql);
        const failing = [db.execute(sql), db.execute(`${sql.replace("; ", "")} RETURNING 1`)];
        for (const error of await Promise.all(failing.map(thrownBy))) {
          assert.ok(error instanceof IntegrityError, String(error));
          assert.deepEqual(
            [error.name, error.constraint, error.code, error.table, error.columns, error.retryable],
            [
              "IntegrityError",
              violation.constraint,
              violation.code,
              named ? table : undefined,
              violation.columns ?? [],
              false,
            ],
          );
          assert.ok(error.message.startsWith(fill(violation.message)), error.message);
          assert.ok(error.sql?.startsWith(sql.replace("; ", "")));
          assert.equal(error.statementIndex, undefined);
        }
        const inBatch = await thrownBy(db.batch(["SELECT 1", sql, "SELECT 2"]));
        assert.ok(inBatch instanceof IntegrityError);
        assert.deepEqual([inBatch.constraint, inBatch.statementIndex], [violation.constraint, 1]);
        assert.deepEqual((await db.query(`SELECT * FROM ${table}`)).rows, before);
      });
    }
  });
};

interface Mistake {
  readonly sql: string;
  readonly name: string;
  readonly message: RegExp;
  readonly code?: string;
}

const MISTAKES: readonly Mistake[] = [
  { sql: "SELEC 1", name: "ProgrammingError", message: /^near "SELEC": syntax error/ },
  { sql: "SELECT", name: "ProgrammingError", message: /^(incomplete input|near)/ },
  { sql: "SELECT * FROM nope", name: "ProgrammingError", message: /^no such table: nope/ },
  { sql: "SELECT x FROM #", name: "ProgrammingError", message: /^no such column: x/ },
  { sql: "SELECT nofunc(1)", name: "ProgrammingError", message: /^no such function: nofunc/ },
  { sql: "INSERT INTO nope VALUES(1)", name: "ProgrammingError", message: /^no such table: nope/ },
  {
    sql: "INSERT INTO #(zz) VALUES(1)",
    name: "ProgrammingError",
    message: /^table \w+ has no column named zz/,
  },
  {
    sql: "INSERT INTO # VALUES(1, 2, 3)",
    name: "ProgrammingError",
    message: /^table \w+ has 2 columns but 3 values were supplied/,
  },
  { sql: "UPDATE # SET zz = 1", name: "ProgrammingError", message: /^no such column: zz/ },
  { sql: "DELETE FROM # WHERE zz = 1", name: "ProgrammingError", message: /^no such column: zz/ },
  { sql: "CREATE TABLE #(a)", name: "ProgrammingError", message: /already exists/ },
  { sql: "DROP TABLE nope", name: "ProgrammingError", message: /^no such table: nope/ },
  { sql: "SELECT json('{bad')", name: "DataError", message: /^malformed JSON/ },
  {
    sql: "SELECT abs(-9223372036854775808)",
    name: "DataError",
    message: /^integer overflow/,
  },
  {
    sql: "INSERT INTO #(a) VALUES(1) RETURNING zz",
    name: "ProgrammingError",
    message: /^no such column: zz/,
  },
  { sql: "UPDATE # SET a = json('{bad')", name: "DataError", message: /^malformed JSON/ },
];

const mistakes: Topic = (target) => {
  const setUp = async ({ db }: Target): Promise<string> => {
    const table = await freshTable(target(), "a, b");
    await db.execute(`INSERT INTO ${table} VALUES(1, 1)`);
    return table;
  };
  describe("SQL that cannot run", () => {
    for (const { sql: pattern, name, message } of MISTAKES) {
      it(`${pattern} is a ${name}`, async () => {
        const { db } = target();
        const table = await setUp(target());
        const sql = pattern.replaceAll("#", table);
        const calls = [db.execute(sql), ...(/^(SELEC|VAL)/.test(sql) ? [db.query(sql)] : [])];
        for (const error of await Promise.all(calls.map(thrownBy))) {
          assert.ok(error instanceof DatabaseError);
          assert.deepEqual([error.name, error.sql, error.retryable], [name, sql, false]);
          assert.match(error.message, message);
        }
        assert.equal(await valueOf(db, `SELECT count(*) FROM ${table}`), 1);
      });
    }

    it("a read that writes by the back door is refused by the node", async () => {
      const { db } = target();
      const table = await setUp(target());
      const error = await thrownBy(
        db.query(`EXPLAIN DELETE FROM ${table}`).then((result) => {
          assert.ok(result.rows.length > 0);
          throw new Error("explained");
        }),
      );
      assert.ok(error.message === "explained" || error.name === "NotSupportedError", String(error));
      assert.equal(await valueOf(db, `SELECT count(*) FROM ${table}`), 1);
    });
  });

  describe("the error of a batch", () => {
    it("has the statement, its index and the results before it", async () => {
      const { db } = target();
      const table = await setUp(target());
      for (const atomic of [true, false]) {
        const failing = `INSERT INTO ${table}(zz) VALUES(1)`;
        const batch = db.batch([
          "",
          `INSERT INTO ${table}(a) VALUES(7)`,
          "-- nothing",
          failing,
          `INSERT INTO ${table}(a) VALUES(8)`,
        ], { atomic });
        const error = await thrownBy(batch);
        assert.ok(error instanceof ProgrammingError);
        assert.deepEqual([error.statementIndex, error.sql], [3, failing]);
        assert.deepEqual(error.results?.map(({ rowsAffected }) => rowsAffected), [1]);
      }
      // The loose one kept the others.
      assert.equal(await valueOf(db, `SELECT count(*) FROM ${table}`), 3);
    });

    it("never has the values that were bound", async () => {
      const { db } = target();
      const table = await freshTable(target(), "a UNIQUE");
      const secret = "hunter2-secret";
      await db.execute(`INSERT INTO ${table} VALUES(?)`, [secret]);
      const error = await thrownBy(db.execute(`INSERT INTO ${table} VALUES(?)`, [secret]));
      assert.doesNotMatch(`${error.message} ${error.stack} ${JSON.stringify(error)}`, /hunter2/);
    });
  });
};
