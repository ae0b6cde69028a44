// A batch is all or nothing, whatever it is made of and whatever fails in it.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Client, DatabaseError, type Statement } from "../../mod.ts";
import {
  freshName,
  freshTable,
  ownStatements,
  recorded,
  type Target,
  thrownBy,
  type Topic,
  valueOf,
} from "./target.ts";

/** What stands around the statement that fails; `#` is the table's name, `%` a number. */
const COMPANIONS: Readonly<Record<string, readonly string[]>> = {
  writes: ["INSERT INTO #(u) VALUES('n%')", "UPDATE # SET n = n + 1"],
  "writes with RETURNING": [
    "INSERT INTO #(u) VALUES('n%') RETURNING id",
    "UPDATE # SET n = n + 1 RETURNING n",
  ],
  "reads and writes": ["SELECT count(*) AS c FROM #", "INSERT INTO #(u) VALUES('n%')"],
  "reads and writes with RETURNING": [
    "INSERT INTO #(u) VALUES('n%') RETURNING id",
    "SELECT count(*) AS c FROM #",
  ],
  DDL: ["CREATE TABLE #_%(a)", "INSERT INTO #(u) VALUES('n%')", "ALTER TABLE # ADD COLUMN c%"],
  "DDL and reads": ["CREATE TABLE #_%(a)", "SELECT * FROM #", "DROP TABLE #"],
};

const FAILURES: Readonly<Record<string, string>> = {
  "a constraint": "INSERT INTO #(u) VALUES('one')",
  "a constraint of an UPDATE": "UPDATE # SET u = NULL WHERE 1",
  "a constraint with RETURNING": "INSERT INTO #(u) VALUES('one') RETURNING id",
  "a missing table": "INSERT INTO nope VALUES(1)",
  "a missing column with RETURNING": "INSERT INTO #(zz) VALUES(1) RETURNING id",
  "a syntax error": "INSERT INTO # oops",
  "a word that is no SQL": "FROBNICATE #",
  "a value": "UPDATE # SET n = json('{bad')",
  "a value in a read": "SELECT json('{bad')",
  "a value in a later row of a read": "SELECT json(v) FROM (SELECT '1' AS v UNION ALL SELECT '{')",
  "a missing table in a read": "SELECT * FROM nope",
  "a missing column in a read": "SELECT zz FROM #",
  DDL: "CREATE TABLE #(a)",
};

/** Everything that a batch could have left behind. */
async function stateOf({ db }: Target, table: string): Promise<unknown> {
  const [rows, schema] = await db.batch([
    `SELECT * FROM ${table} ORDER BY id`,
    [`SELECT name, sql FROM sqlite_schema WHERE name LIKE ? ORDER BY name`, `${table}%`],
  ]);
  return [rows!.rows, schema!.rows];
}

/** Lets a client learn what it asks before it writes to a table. */
async function knowing(db: Client, table: string): Promise<void> {
  await db.execute(`DELETE FROM ${table} WHERE 0`, [], { exactlyOnce: true });
}

async function setUp(target: Target): Promise<string> {
  const table = await freshTable(target, "id INTEGER PRIMARY KEY, u NOT NULL UNIQUE, n DEFAULT 0");
  await target.db.execute(`INSERT INTO ${table}(u) VALUES('one'), ('two')`);
  return table;
}

export const batches: Topic = (target) => {
  failures(target);
  rollbacks(target);
  unreadable(target);
  successes(target);
  reads(target);
};

const failures: Topic = (target) => {
  for (const [companions, others] of Object.entries(COMPANIONS)) {
    describe(`a batch of ${companions} keeps nothing where it fails by`, () => {
      for (const [failure, pattern] of Object.entries(FAILURES)) {
        // A statement of the batch has dropped it by then.
        if (companions === "DDL and reads" && pattern.includes("#")) continue;
        it(failure, async () => {
          const table = await setUp(target());
          const fill = (sql: string, i: number): string =>
            sql.replaceAll("#", table).replaceAll("%", String(i));
          const before = await stateOf(target(), table);
          for (let position = 0; position <= others.length; position++) {
            const statements = others.toSpliced(position, 0, pattern).map(fill);
            const error = await thrownBy(target().db.batch(statements));
            assert.ok(error instanceof DatabaseError, String(error));
            assert.equal(error.statementIndex, position, String(error));
            assert.equal(error.sql, statements[position]);
            assert.equal(error.results?.length, position);
            assert.ok(!["OutcomeUnknownError", "OperationalError"].includes(error.name));
            assert.deepEqual(await stateOf(target(), table), before);
          }
        });
      }
    });
  }
};

/** The schema may say that a violated constraint ends the whole transaction. */
const rollbacks: Topic = (target) => {
  const middles = ["INSERT INTO #(u) VALUES('one')", "INSERT INTO #(u) VALUES('one') RETURNING id"];
  const ends = [
    "INSERT INTO #(u) VALUES('z')",
    "INSERT INTO #(u) VALUES('z') RETURNING id",
    "SELECT 1",
  ];
  const schemas: Readonly<Record<string, readonly string[]>> = {
    "ON CONFLICT ROLLBACK": [
      "CREATE TABLE #(id INTEGER PRIMARY KEY, u UNIQUE ON CONFLICT ROLLBACK)",
    ],
    "RAISE(ROLLBACK)": [
      "CREATE TABLE #(id INTEGER PRIMARY KEY, u)",
      "CREATE TRIGGER tr_# BEFORE INSERT ON # WHEN new.u IN (SELECT u FROM #) " +
      "BEGIN SELECT RAISE(ROLLBACK, 'it is there'); END",
    ],
  };
  for (const [what, statements] of Object.entries(schemas)) {
    for (const middle of middles) {
      it(`a batch keeps nothing where ${middle} meets ${what}`, async () => {
        const { db } = target();
        for (const end of ends) {
          const table = freshName();
          const fill = (sql: string): string => sql.replaceAll("#", table);
          for (const sql of [...statements, "INSERT INTO #(u) VALUES('one')"]) {
            await db.execute(fill(sql));
          }
          const batch = ["INSERT INTO #(u) VALUES('a')", middle, end, "UPDATE # SET u = 'b'"];
          await assert.rejects(db.batch(batch.map(fill)), {
            name: "IntegrityError",
            statementIndex: 1,
          });
          const { rows } = await db.query(`SELECT u FROM ${table}`);
          assert.deepEqual(rows, [{ u: "one" }], JSON.stringify(batch));
        }
      });
    }
  }
};

const unreadable: Topic = (target) => {
  const long = "SELECT 9007199254740993 AS v";
  describe("a value of a batch that does not fit", () => {
    it("names its statement", async () => {
      for (const atomic of [true, false]) {
        await assert.rejects(target().db.batch(["SELECT 1", "", long], { atomic }), {
          name: "DataError",
          statementIndex: 2,
          sql: long,
          column: "v",
          message: /^Cannot return 9007199254740993 of column "v"/,
        });
      }
    });

    it("says that the batch was applied, where it was", async () => {
      const { db } = target();
      const table = await setUp(target());
      const insert = `INSERT INTO ${table}(u) VALUES('x')`;
      await assert.rejects(db.batch([insert, long]), {
        name: "DataError",
        statementIndex: 1,
        message: /^The batch was applied, but a value that it returned does not fit: Cannot return/,
      });
      assert.equal(await valueOf(db, `SELECT count(*) FROM ${table}`), 3);
    });

    it("gives way to the error of a later statement, which undid it all", async () => {
      const { db } = target();
      const table = await setUp(target());
      const returning = `INSERT INTO ${table}(u) VALUES('x') RETURNING 9007199254740993 AS v`;
      const failing = `INSERT INTO ${table}(u) VALUES('one')`;
      for (const batch of [[returning, failing], [returning, long, failing, "SELECT 1"]]) {
        await assert.rejects(db.batch(batch), {
          name: "IntegrityError",
          statementIndex: batch.indexOf(failing),
        });
      }
      assert.equal(await valueOf(db, `SELECT count(*) FROM ${table}`), 2);
    });
  });
};

const successes: Topic = (target) => {
  describe("a batch", () => {
    for (const [companions, others] of Object.entries(COMPANIONS)) {
      it(`of ${companions} gives its results in order`, async () => {
        const table = await setUp(target());
        const statements = others.map((sql, i) =>
          sql.replaceAll("#", table).replaceAll("%", String(i))
        );
        const seen = await target().db.batch(statements);
        assert.equal(seen.length, statements.length);
        for (const [i, { rows, rowsAffected }] of seen.entries()) {
          const sql = others[i]!;
          if (sql.startsWith("SELECT c")) {
            assert.deepEqual(rows, [{ c: companions.endsWith("ING") ? 3 : 2 }]);
          } else if (sql.startsWith("INSERT")) assert.equal(rowsAffected, 1);
          else if (sql.startsWith("UPDATE")) assert.equal(rowsAffected, 3);
          if (sql.endsWith("RETURNING id")) assert.deepEqual(rows, [{ id: 3 }]);
          if (sql.endsWith("RETURNING n")) assert.deepEqual(rows, [{ n: 1 }, { n: 1 }, { n: 1 }]);
        }
      });
    }

    it("reads what it has written before", async () => {
      const table = await setUp(target());
      const count = `SELECT count(*) AS c FROM ${table}`;
      const seen = await target().db.batch([
        count,
        `DELETE FROM ${table} WHERE u = 'one'`,
        count,
        [`INSERT INTO ${table}(u) VALUES(?), (?)`, "a", "b"],
        { sql: `SELECT u FROM ${table} WHERE u > :u ORDER BY u`, params: { u: "a" } },
      ]);
      assert.deepEqual(seen.map(({ rows }) => rows), [
        [{ c: 2 }],
        [],
        [{ c: 1 }],
        [],
        [{ u: "b" }, { u: "two" }],
      ]);
    });

    it("answers empty statements itself, each in its place", async () => {
      for (const exactlyOnce of [true, false]) {
        const { db, sent } = recorded(target(), { exactlyOnce });
        const table = await setUp(target());
        await knowing(db, table);
        sent.length = 0;
        const seen = await db.batch([
          "",
          `UPDATE ${table} SET n = 4`,
          "-- c",
          `DELETE FROM ${table}`,
        ]);
        assert.deepEqual(seen.map(({ rowsAffected }) => rowsAffected), [0, 2, 0, 2]);
        assert.equal(sent.length, 1);
        assert.equal(ownStatements(sent).length, 2);
        if (!exactlyOnce) assert.equal((JSON.parse(sent[0]!.body) as unknown[]).length, 2);
      }
    });

    it("of one statement, or of none, works too", async () => {
      const { db } = target();
      const table = await setUp(target());
      assert.deepEqual(await db.batch([]), []);
      const [one] = await db.batch([`INSERT INTO ${table}(u) VALUES('x')`]);
      assert.equal(one!.lastInsertId, 3);
      const [read] = await db.batch(["SELECT 1 AS a"]);
      assert.deepEqual(read!.rows, [{ a: 1 }]);
    });

    it("takes rows and integers as options", async () => {
      const { db } = target();
      const table = await setUp(target());
      const statements = [`INSERT INTO ${table}(u) VALUES('x') RETURNING id`, "SELECT 5"];
      const seen = await db.batch(statements, { rows: "array", integers: "bigint" });
      assert.deepEqual(seen.map(({ rows }) => rows) as unknown, [[[3n]], [[5n]]]);
    });

    it("of 500 statements is one request, and keeps their order", async () => {
      for (const exactlyOnce of [true, false]) {
        const { db, sent } = recorded(target(), { exactlyOnce });
        const table = await freshTable(target(), "id INTEGER PRIMARY KEY, n");
        await knowing(db, table);
        sent.length = 0;
        const statements = Array.from({ length: 500 }, (_, i): Statement => [
          `INSERT INTO ${table}(n) VALUES(?)`,
          i,
        ]);
        const seen = await db.batch(statements);
        assert.deepEqual(seen.map(({ lastInsertId }) => lastInsertId), seen.map((_, i) => i + 1));
        assert.equal(sent.length, 1);
        assert.equal(await valueOf(db, `SELECT sum(n = id - 1) FROM ${table}`), 500);
      }
    });

    it("that is not atomic keeps what does not fail", async () => {
      for (const failing of Object.values(FAILURES)) {
        const table = await setUp(target());
        const statements = [
          `INSERT INTO ${table}(u) VALUES('a')`,
          failing.replaceAll("#", table),
          `INSERT INTO ${table}(u) VALUES('b')`,
        ];
        const error = await thrownBy(target().db.batch(statements, { atomic: false }));
        assert.ok(error instanceof DatabaseError);
        assert.deepEqual([error.statementIndex, error.results?.length], [1, 1]);
        assert.equal(await valueOf(target().db, `SELECT count(*) FROM ${table}`), 4, failing);
      }
    });

    it("that is not atomic gives its results in order", async () => {
      const { db, sent } = recorded(target());
      const table = await setUp(target());
      await knowing(db, table);
      sent.length = 0;
      const seen = await db.batch([
        `INSERT INTO ${table}(u) VALUES('a')`,
        "",
        `SELECT count(*) AS c FROM ${table}`,
        `UPDATE ${table} SET n = 1 RETURNING n`,
      ], { atomic: false });
      assert.deepEqual(seen.map(({ rows }) => rows), [[], [], [{ c: 3 }], [{ n: 1 }, { n: 1 }, {
        n: 1,
      }]]);
      assert.ok(sent.every(({ flags }) => !flags.has("transaction")));
    });
  });
};

const reads: Topic = (target) => {
  describe("a batch of reads", () => {
    it("is one request and one snapshot", async () => {
      const { db, sent } = recorded(target(), { level: "weak" });
      const table = await setUp(target());
      const sum = `SELECT sum(n) AS s FROM ${table}`;
      let writing = true;
      const writes = (async () => {
        while (writing) await target().db.execute(`UPDATE ${table} SET n = n + 1`);
      })();
      for (let i = 0; i < 20; i++) {
        const [first, second, third] = await db.batch([sum, sum, sum]);
        assert.deepEqual([second!.rows, third!.rows], [first!.rows, first!.rows]);
      }
      writing = false;
      await writes;
      assert.ok(
        sent.every(({ endpoint, flags }) => endpoint === "/db/query" && flags.has("transaction")),
      );
    });

    it("gives the error of the first that fails, with its index and the results before it", async () => {
      for (const atomic of [true, false]) {
        const batch = target().db.batch(
          ["SELECT 1 AS a", "", "SELECT nope", "SELECT json('{')", "SELECT 2"],
          { atomic },
        );
        const error = await thrownBy(batch);
        assert.ok(error instanceof DatabaseError);
        assert.deepEqual([error.name, error.statementIndex], ["ProgrammingError", 2]);
        assert.deepEqual(error.results?.map(({ rows }) => rows), [[{ a: 1 }]]);
      }
    });
  });
};

/** On a database that enforces foreign keys. */
export const foreignKeys: Topic = (target) => {
  const setUpKeys = async (deferred: boolean): Promise<[parent: string, child: string]> => {
    const parent = await freshTable(target(), "id INTEGER PRIMARY KEY");
    const child = await freshTable(
      target(),
      `id INTEGER PRIMARY KEY, p REFERENCES ${parent}(id) ${
        deferred ? "DEFERRABLE INITIALLY DEFERRED" : ""
      }`,
    );
    return [parent, child];
  };
  const expected = {
    name: "IntegrityError",
    constraint: "foreignkey",
    code: "SQLITE_CONSTRAINT_FOREIGNKEY",
    message: "FOREIGN KEY constraint failed",
  };

  describe("a foreign key", () => {
    it("is enforced at once", async () => {
      const { db } = target();
      const [parent, child] = await setUpKeys(false);
      const orphan = `INSERT INTO ${child}(p) VALUES(9)`;
      await assert.rejects(db.execute(orphan), expected);
      await assert.rejects(db.execute(`${orphan} RETURNING id`), expected);
      for (
        const batch of [[`INSERT INTO ${parent} VALUES(1)`, orphan], [
          `INSERT INTO ${parent} VALUES(1)`,
          orphan,
          "SELECT 1",
        ]]
      ) {
        await assert.rejects(db.batch(batch), { ...expected, statementIndex: 1 });
      }
      assert.equal(await valueOf(db, `SELECT count(*) FROM ${parent}`), 0);
    });

    it("that is deferred is enforced at the end, and nothing was kept", async () => {
      const { db } = target();
      const [parent, child] = await setUpKeys(true);
      const orphan = `INSERT INTO ${child}(p) VALUES(9)`;
      const write = `INSERT INTO ${parent} VALUES(1)`;
      const read = `SELECT count(*) FROM ${child}`;
      const returning = `INSERT INTO ${parent} VALUES(2) RETURNING id`;
      const others = [[write], [read], [returning], [write, returning, read], []];
      for (const list of others) {
        for (let position = 0; position <= list.length; position++) {
          const batch = list.toSpliced(position, 0, orphan);
          await assert.rejects(db.batch(batch), expected, JSON.stringify(batch));
          const kept = `SELECT (SELECT count(*) FROM ${child}) + (SELECT count(*) FROM ${parent})`;
          assert.equal(await valueOf(db, kept), 0);
        }
      }
    });

    it("that is deferred may be mended within the batch", async () => {
      const { db } = target();
      const [parent, child] = await setUpKeys(true);
      const orphan = `INSERT INTO ${child}(p) VALUES(9)`;
      await db.batch([orphan, `INSERT INTO ${parent} VALUES(9)`]);
      await db.batch([orphan, "SELECT 1", `INSERT INTO ${parent} VALUES(10) RETURNING id`]);
      assert.equal(await valueOf(db, `SELECT count(*) FROM ${child}`), 2);
    });

    it("cascades", async () => {
      const { db } = target();
      const parent = await freshTable(target(), "id INTEGER PRIMARY KEY");
      const child = await freshTable(target(), `p REFERENCES ${parent}(id) ON DELETE CASCADE`);
      await db.batch([`INSERT INTO ${parent} VALUES(1)`, `INSERT INTO ${child} VALUES(1), (1)`]);
      assert.equal((await db.execute(`DELETE FROM ${parent}`)).rowsAffected, 1);
      assert.equal(await valueOf(db, `SELECT count(*) FROM ${child}`), 0);
    });
  });
};
