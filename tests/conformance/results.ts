// What a result says besides its rows: columns, types, counts and ids; and which statements give rows at all.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Client } from "../../mod.ts";
import { freshName, freshTable, ownStatements, recorded, type Topic, valueOf } from "./target.ts";

export const results: Topic = (target) => {
  counts(target);
  ids(target);
  headers(target);
  kinds(target);
  local(target);
  frozen(target);
};

const counts: Topic = (target) => {
  const setUp = (): Promise<string> =>
    freshTable(target(), "id INTEGER PRIMARY KEY, u UNIQUE, n DEFAULT 0");
  /** `#` is the table, which holds the rows 1 to 3. */
  const cases: readonly [sql: string, rowsAffected: number, lastInsertId: number | undefined][] = [
    ["INSERT INTO #(u) VALUES('d')", 1, 4],
    ["INSERT INTO #(u) VALUES('d'), ('e'), ('f')", 3, 6],
    ["INSERT INTO #(u) SELECT 'q' || id FROM #", 3, 6],
    ["INSERT INTO #(u) SELECT 'q' FROM # WHERE 0", 0, undefined],
    ["INSERT INTO # DEFAULT VALUES", 1, 4],
    ["INSERT OR IGNORE INTO #(u) VALUES('a')", 0, undefined],
    ["INSERT OR IGNORE INTO #(u) VALUES('new')", 1, 4],
    ["INSERT INTO #(u) VALUES('a') ON CONFLICT DO NOTHING", 0, undefined],
    ["INSERT INTO #(u) VALUES('a') ON CONFLICT(u) DO UPDATE SET n = 1", 1, undefined],
    ["INSERT INTO #(u) VALUES('new') ON CONFLICT(u) DO UPDATE SET n = 1", 1, 4],
    ["INSERT INTO #(u) VALUES('new'), ('a') ON CONFLICT(u) DO UPDATE SET n = 1", 2, 4],
    ["INSERT INTO #(u) VALUES('a') ON CONFLICT(u) DO UPDATE SET n = 1 WHERE 0", 0, undefined],
    ["REPLACE INTO #(id, u) VALUES(2, 'z')", 1, 2],
    ["INSERT OR REPLACE INTO #(u) VALUES('a')", 1, 4],
    ["WITH x(v) AS (VALUES('w')) INSERT INTO #(u) SELECT v FROM x", 1, 4],
    ["UPDATE # SET n = 1", 3, undefined],
    ["UPDATE # SET n = 1 WHERE id = 99", 0, undefined],
    ["UPDATE OR IGNORE # SET u = 'a'", 1, undefined],
    ["WITH x(v) AS (VALUES(1)) UPDATE # SET n = 1 WHERE id IN x", 1, undefined],
    ["DELETE FROM # WHERE id < 3", 2, undefined],
    ["DELETE FROM #", 3, undefined],
    ["DELETE FROM # WHERE 0", 0, undefined],
    ["/* c */ insert into #(u) values('d') -- e", 1, 4],
    ["CREATE INDEX IF NOT EXISTS i_# ON #(n)", 0, undefined],
    ["ALTER TABLE # ADD COLUMN extra", 0, undefined],
    ["DROP TABLE #", 0, undefined],
    ["CREATE TABLE c_# AS SELECT * FROM #", 0, undefined],
    ["ANALYZE #", 0, undefined],
    ["REINDEX #", 0, undefined],
    ["PRAGMA user_version = 5", 0, undefined],
    ["SELECT * FROM #", 0, undefined],
    ["INSERT INTO #(u) VALUES('d'), ('e') RETURNING id", 2, undefined],
    ["UPDATE # SET n = 1 WHERE id = 99 RETURNING id", 0, undefined],
    ["DELETE FROM # RETURNING *", 3, undefined],
  ];
  describe("rowsAffected and lastInsertId", () => {
    for (const [sql, rowsAffected, lastInsertId] of cases) {
      it(`of ${sql}`, async () => {
        const { db } = target();
        const table = await setUp();
        await db.execute(`INSERT INTO ${table}(u) VALUES('a'), ('b'), ('c')`);
        const result = await db.execute(
          sql.replaceAll("#", table),
        );
        assert.deepEqual([result.rowsAffected, result.lastInsertId], [rowsAffected, lastInsertId]);
      });
    }

    it("are those of each statement in a batch", async () => {
      const { db } = target();
      const table = await setUp();
      const seen = await db.batch([
        `INSERT INTO ${table}(u) VALUES('a')`,
        `UPDATE ${table} SET n = 9 WHERE 0`,
        `INSERT INTO ${table}(u) VALUES('b'), ('c')`,
        `SELECT 1`,
        `INSERT OR IGNORE INTO ${table}(u) VALUES('c')`,
        `DELETE FROM ${table} WHERE id > 1`,
      ]);
      assert.deepEqual(
        seen.map(({ rowsAffected, lastInsertId }) => [rowsAffected, lastInsertId]),
        [[1, 1], [0, undefined], [2, 3], [0, undefined], [0, undefined], [2, undefined]],
      );
    });
  });
};

/** What tells the id of its last statement, which stands behind an insert of 1 into another table. */
const WRITES: Readonly<
  Record<string, (db: Client, first: string, sql: string) => Promise<unknown>>
> = {
  execute: async (db, first, sql) => {
    await db.execute(first);
    return (await db.execute(sql)).lastInsertId;
  },
  "execute, not exactly once": async (db, first, sql) => {
    await db.execute(first);
    return (await db.execute(sql, [], { exactlyOnce: false })).lastInsertId;
  },
  batch: async (db, first, sql) => (await db.batch([first, sql]))[1]!.lastInsertId,
  "batch, not exactly once": async (db, first, sql) =>
    (await db.batch([first, sql], { exactlyOnce: false }))[1]!.lastInsertId,
  "loose batch": async (db, first, sql) =>
    (await db.batch([first, sql], { atomic: false }))[1]!.lastInsertId,
  "a transaction": (db, first, sql) =>
    db.transaction(async (tx) => {
      await tx.execute(first);
      return (await tx.execute(sql)).lastInsertId;
    }),
  "a transaction, as a batch": (db, first, sql) =>
    db.transaction(async (tx) => (await tx.batch([first, sql]))[1]!.lastInsertId),
};

const ids: Topic = (target) => {
  /** `#` is the name of a family of tables, `#t` has a row 5. */
  const cases: readonly [name: string, sql: string, id: number | undefined][] = [
    ["an INSERT", "INSERT INTO #t(u) VALUES('new')", 6],
    ["an INSERT into a table WITHOUT ROWID", "INSERT INTO #w VALUES('k', 1)", undefined],
    ["a REPLACE into a table WITHOUT ROWID", "REPLACE INTO #w VALUES('k', 1)", undefined],
    ["an INSERT into a view", "INSERT INTO #v VALUES('new')", undefined],
    ["an INSERT whose trigger inserts elsewhere", "INSERT INTO #r(a) VALUES('a')", 1],
    ["an INSERT that ignored", "INSERT OR IGNORE INTO #t(u) VALUES('old')", undefined],
    ["a REPLACE", "REPLACE INTO #t(u) VALUES('old')", 6],
    ["an INSERT of no rows", "INSERT INTO #t(u) SELECT 'new' WHERE 0", undefined],
    [
      "an upsert that updated",
      "INSERT INTO #t(u) VALUES('old') ON CONFLICT(u) DO UPDATE SET u = 'newer'",
      undefined,
    ],
  ];
  const make = async (db: Client): Promise<string> => {
    const name = freshName();
    await db.batch([
      `CREATE TABLE ${name}first(id INTEGER PRIMARY KEY)`,
      `CREATE TABLE ${name}t(id INTEGER PRIMARY KEY, u UNIQUE)`,
      `CREATE TABLE ${name}w(k TEXT PRIMARY KEY, v) WITHOUT ROWID`,
      `CREATE VIEW ${name}v AS SELECT u FROM ${name}t`,
      `CREATE TRIGGER ${name}vi INSTEAD OF INSERT ON ${name}v BEGIN
         INSERT INTO ${name}t(u) VALUES(new.u); END`,
      `CREATE TABLE ${name}r(id INTEGER PRIMARY KEY, a)`,
      `CREATE TRIGGER ${name}ri AFTER INSERT ON ${name}r BEGIN
         INSERT INTO ${name}first VALUES(70 + new.id); END`,
      `INSERT INTO ${name}t VALUES(5, 'old')`,
    ]);
    return name;
  };
  describe("lastInsertId", () => {
    for (const [way, write] of Object.entries(WRITES)) {
      for (const [name, sql, id] of cases) {
        it(`of ${name} is ${id}, by ${way}`, async () => {
          const { db } = target();
          const family = await make(db);
          const first = `INSERT INTO ${family}first VALUES(1)`;
          assert.equal(await write(db, first, sql.replaceAll("#", family)), id);
        });
      }
    }

    it("of an upsert that inserted is the row's, also where an insert before had the same", async () => {
      const { db } = target();
      const family = await make(db);
      const first = (id: number) => `INSERT INTO ${family}first VALUES(${id})`;
      const upsert = (u: string) =>
        `INSERT INTO ${family}t(u) VALUES('${u}') ON CONFLICT(u) DO UPDATE SET u = u`;
      const seen = await db.transaction(async (tx) => {
        await tx.execute(first(6));
        const inserted = await tx.execute(upsert("new"));
        const updated = await tx.execute(upsert("new"));
        return [inserted.lastInsertId, updated.lastInsertId];
      }, { integers: "bigint" });
      assert.deepEqual(seen, [6n, undefined]);
      assert.equal((await db.execute(upsert("newer"))).lastInsertId, 7);
      assert.equal((await db.execute(upsert("newer"))).lastInsertId, undefined);
      const [, batched] = await db.batch([first(60), upsert("newest")]);
      assert.equal(batched!.lastInsertId, 8);
    });

    it("of an upsert in a transaction holds when it is committed", async () => {
      const { db } = target();
      const family = await make(db);
      const upsert = `INSERT INTO ${family}t(u) VALUES('a') ON CONFLICT(u) DO UPDATE SET u = u`;
      let runs = 0;
      const id = await db.transaction(async (tx) => {
        const { lastInsertId } = await tx.execute(upsert);
        if (runs++ === 0) await db.execute(`INSERT INTO ${family}t(u) VALUES('other')`);
        return lastInsertId;
      });
      assert.deepEqual([id, runs], [7, 2]);
      assert.equal(await valueOf(db, `SELECT id FROM ${family}t WHERE u = 'a'`), id);
    });
  });
};

const headers: Topic = (target) => {
  describe("columns and types", () => {
    it("are there without rows", async () => {
      const columns = "i INTEGER, r Real, t VARCHAR(10), b BLOB, n, d DECIMAL(10,2)";
      const table = await freshTable(target(), columns);
      const expected = ["integer", "real", "varchar(10)", "blob", "", "decimal(10,2)"];
      const { db } = target();
      const read = await db.query(`SELECT * FROM ${table}`);
      assert.deepEqual(read, {
        columns: ["i", "r", "t", "b", "n", "d"],
        types: expected,
        rows: [],
        rowsAffected: 0,
        lastInsertId: undefined,
      });
      const deleted = await db.execute(`DELETE FROM ${table} RETURNING i, r AS "R"`);
      assert.deepEqual([deleted.columns, deleted.types], [["i", "R"], ["integer", "real"]]);
    });

    it("of a statement without rows are empty", async () => {
      const table = await freshTable(target(), "a");
      const { columns, types, rows } = await target().db.execute(`INSERT INTO ${table} VALUES(1)`);
      assert.deepEqual([columns, types, rows], [[], [], []]);
    });

    it("of expressions come from the first row", async () => {
      const { columns, types } = await target().db.query("SELECT 1, 1.5, 'a' AS t, NULL AS n");
      assert.deepEqual(columns, ["1", "1.5", "t", "n"]);
      assert.deepEqual(types, ["integer", "real", "text", ""]);
    });
  });
};

const kinds: Topic = (target) => {
  const reads: readonly [sql: string, first: unknown][] = [
    ["VALUES(1, 'a'), (2, 'b')", [1, "a"]],
    ["WITH x(a) AS (SELECT 5) SELECT a FROM x", [5]],
    ["WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n LIMIT 3) SELECT max(i) FROM n", [
      3,
    ]],
    ["-- lead\n/* more */ SELECT 1;;", [1]],
    ["select 1 union all select 2", [1]],
    ["SELECT (SELECT 4)", [4]],
    ["SELECT 'BEGIN; COMMIT; ROLLBACK'", ["BEGIN; COMMIT; ROLLBACK"]],
    ["PRAGMA user_version(7)", undefined],
  ];
  describe("a statement that reads", () => {
    for (const [sql, first] of reads) {
      if (first === undefined) continue;
      it(`${JSON.stringify(sql)} gives its rows to query(), execute() and batch()`, async () => {
        const { db } = target();
        const options = { rows: "array" } as const;
        assert.deepEqual((await db.query<unknown>(sql, [], options)).rows[0], first);
        assert.deepEqual((await db.execute<unknown>(sql, [], options)).rows[0], first);
        const [result] = await db.batch([sql], options);
        assert.deepEqual(result!.rows[0] as unknown, first);
      });
    }

    it("execute() of a SELECT gives all rows, and with the client's level", async () => {
      const { db, sent } = recorded(target(), { level: "strong" });
      const { rows } = await db.execute("SELECT 1 AS a UNION ALL SELECT 2 UNION ALL SELECT 3");
      assert.deepEqual(rows, [{ a: 1 }, { a: 2 }, { a: 3 }]);
      assert.deepEqual(sent.map(({ endpoint, flags }) => [endpoint, flags.get("level")]), [
        ["/db/query", "strong"],
      ]);
    });

    it("may be a PRAGMA", async () => {
      const { db } = target();
      const table = await freshTable(target(), "a INTEGER NOT NULL, b TEXT");
      for (const sql of [`PRAGMA table_info(${table})`, `pragma main.table_info("${table}")`]) {
        const { rows } = await db.query(sql);
        assert.deepEqual(rows.map(({ name, type, notnull }) => [name, type, notnull]), [
          ["a", "INTEGER", 1],
          ["b", "TEXT", 0],
        ]);
        assert.equal((await db.execute(sql)).rows.length, 2);
      }
      const calls = await db.query(`SELECT name FROM pragma_table_info('${table}')`);
      assert.equal(calls.rows.length, 2);
    });

    it("may be an EXPLAIN of a read or a write", async () => {
      const { db } = target();
      const table = await freshTable(target(), "a INTEGER");
      const plan = await db.query(`EXPLAIN QUERY PLAN SELECT * FROM ${table}`);
      assert.match(String(plan.rows[0]!.detail), new RegExp(table));
      const code = await db.query(`EXPLAIN SELECT 1`);
      assert.equal(code.rows[0]!.opcode, "Init");
    });
  });

  describe("a statement that writes", () => {
    it("a PRAGMA that sets is executed", async () => {
      const { db } = target();
      for (
        const [set, value] of [["PRAGMA user_version = 41", 41], ["PRAGMA user_version(42)", 42]]
      ) {
        await db.execute(String(set));
        assert.equal(await valueOf(db, "PRAGMA user_version"), value);
      }
    });

    const writes = [
      "INSERT INTO t VALUES(1)",
      "REPLACE INTO t VALUES(1)",
      "UPDATE t SET a = 1",
      "DELETE FROM t",
      "CREATE TABLE t(a)",
      "ALTER TABLE t ADD b",
      "DROP TABLE t",
      "VACUUM",
      "PRAGMA user_version = 1",
    ];
    for (const sql of [...writes, "WITH x AS (SELECT 1) DELETE FROM t", "/* c */ DELETE FROM t"]) {
      it(`query() refuses ${sql} and says what to call`, async () => {
        const { db, sent } = recorded(target());
        const verb = /^(?:WITH.*|\/\* c \*\/ )?\b([A-Z]+)/.exec(sql.replace(/^WITH .*\) /, ""))![1];
        await assert.rejects(db.query(sql), {
          name: "ProgrammingError",
          message: `Cannot query with ${verb} as it changes the database: call execute() instead`,
          sql,
        });
        assert.equal(sent.length, 0);
      });
    }
  });
};

const local: Topic = (target) => {
  describe("a statement of nothing", () => {
    const nothing = { columns: [], types: [], rows: [], rowsAffected: 0, lastInsertId: undefined };
    for (
      const sql of [
        "",
        "  \n\t",
        ";",
        " ; ;; ",
        "-- comment",
        "/* comment */",
        "/* open",
        "-- a\n;/* b */",
      ]
    ) {
      it(`${JSON.stringify(sql)} is answered without a request`, async () => {
        const { db, sent } = recorded(target());
        assert.deepEqual(await db.query(sql), nothing);
        assert.deepEqual(await db.execute(sql), nothing);
        assert.deepEqual(await db.batch([sql, sql]), [nothing, nothing]);
        assert.deepEqual(await db.batch([]), []);
        assert.equal(sent.length, 0);
      });
    }

    it("comments around a statement are harmless", async () => {
      const { db } = target();
      const table = await freshTable(target(), "a");
      await db.execute(`-- lead\nINSERT INTO ${table} /* mid */ VALUES(1); -- trail`);
      const inserted = await db.execute(`INSERT INTO ${table} VALUES(2) RETURNING a; -- c`);
      assert.deepEqual(inserted.rows, [{ a: 2 }]);
      const read = await db.query(`SELECT a FROM ${table} ORDER BY a; -- c`);
      assert.deepEqual(read.rows, [{ a: 1 }, { a: 2 }]);
    });
  });
};

const VOLATILE =
  /random\s*\(|randomblob|'now'|current_|datetime\(\)|unixepoch\(\)|julianday\(\)|\bdate\(\)/i;

const frozen: Topic = (target) => {
  describe("time and chance in a write", () => {
    it("are decided in the client, so that every node stores the same", async () => {
      const { db, sent } = recorded(target());
      const table = await freshTable(target(), "a, b, c, d, e");
      const statements = [
        `INSERT INTO ${table} VALUES(random(), CURRENT_TIMESTAMP, datetime('now'), date(), RANDOM())`,
        `INSERT INTO ${table} VALUES((SELECT random()), time('now'), julianday('now'), randomblob(8), 5)`,
        `WITH x(v) AS (SELECT random()) INSERT INTO ${table}(a) SELECT v FROM x`,
        `INSERT INTO ${table}(a) VALUES(1) ON CONFLICT DO UPDATE SET a = random()`,
        `UPDATE ${table} SET b = strftime('%s', 'now'), c = random() WHERE rowid = 1`,
        `UPDATE ${table} SET b = strftime('%s', 'now'), c = unixepoch()`,
        `DELETE FROM ${table} WHERE b < datetime('now', '-100 years')`,
      ];
      for (const sql of statements) await db.execute(sql);
      await db.batch(statements);
      for (const { body, flags } of sent) {
        assert.doesNotMatch(body, VOLATILE);
        assert.ok(flags.has("norwrandom") && flags.has("norwtime"));
      }
    });

    it("have one value for each place; where that would be for several rows, chance is refused", async () => {
      const { db, sent } = recorded(target());
      const table = await freshTable(target(), "id INTEGER PRIMARY KEY, a, b");
      await db.execute(`INSERT INTO ${table}(a, b) VALUES(random(), random()), (random(), date())`);
      const { rows } = await db.query(`SELECT a, b FROM ${table}`, [], { integers: "bigint" });
      assert.equal(new Set([rows[0]!.a, rows[0]!.b, rows[1]!.a]).size, 3);
      await db.execute(`UPDATE ${table} SET a = datetime('now')`);
      const before = sent.length;
      for (
        const many of [
          `UPDATE ${table} SET a = hex(randomblob(16))`,
          `UPDATE ${table} SET a = random() WHERE id > ?`,
          `DELETE FROM ${table} WHERE random() % 2 AND id > ?`,
          `INSERT INTO ${table}(a) SELECT random() FROM ${table} WHERE id > ?`,
        ]
      ) {
        const params = many.includes("?") ? [0] : [];
        for (const exactlyOnce of [true, false]) {
          await assert.rejects(db.execute(many, params, { exactlyOnce }), {
            name: "NotSupportedError",
            message: /all rows would get the same value: .* in a batch$/,
          });
        }
        await assert.rejects(db.batch([{ sql: many, params }], { atomic: false }), /in a batch$/);
        await assert.rejects(db.transaction((tx) => tx.execute(many, params)), /in a batch$/);
      }
      assert.deepEqual(
        ownStatements(sent.slice(before)).filter((one) => /UPDATE|DELETE|INSERT/.test(`${one}`)),
        [],
      );
    });

    it("have a value for one row that an UPDATE or DELETE names by something unique", async () => {
      const { db } = target();
      const table = await freshTable(target(), "id INTEGER PRIMARY KEY, mail TEXT UNIQUE, token");
      await db.execute(
        `INSERT INTO ${table} VALUES(1, 'a', 0), (2, 'b', 0), (3, 'c', 0), (4, 'd', 0)`,
      );
      const token = `UPDATE ${table} SET token = hex(randomblob(16)) WHERE`;
      await db.execute(`${token} id = ?`, [1]);
      await db.batch([[`${token} mail = ?`, "b"]], { exactlyOnce: false });
      await db.batch([[`${token} id = ? AND token = 0`, 3], "SELECT 1"]);
      await db.transaction((tx) => tx.execute(`${token} mail = 'd' RETURNING token`));
      await db.execute(`DELETE FROM ${table} WHERE random() IS NULL AND id = 4`);
      const { rows } = await db.query<{ token: string }>(`SELECT DISTINCT token FROM ${table}`);
      assert.equal(rows.length, 4);
      for (const row of rows) assert.match(row.token, /^[0-9A-F]{32}$/);
      const made = freshName();
      await db.batch([
        `CREATE TABLE ${made}(id INTEGER PRIMARY KEY, r)`,
        `INSERT INTO ${made}(id) VALUES(1), (2)`,
        `UPDATE ${made} SET r = random() WHERE id = 2`,
      ]);
      await assert.rejects(
        db.batch([`CREATE TABLE x${made}(id, r)`, `UPDATE x${made} SET r = random() WHERE id = 2`]),
        { name: "NotSupportedError", statementIndex: 1 },
      );
    });

    it("are one moment in one statement, and in a batch", async () => {
      const { db } = target();
      const table = await freshTable(target(), "a, b, c");
      const sql = `INSERT INTO ${table} VALUES(CURRENT_TIMESTAMP, datetime('now'), ` +
        "date() || ' ' || CURRENT_TIME)";
      await db.batch([sql, sql]);
      const { rows } = await db.query<string[]>(`SELECT a, b, c FROM ${table}`, [], {
        rows: "array",
      });
      assert.equal(new Set(rows.flat()).size, 1);
    });

    it("have the storage class that SQLite would give them", async () => {
      const { db } = target();
      const table = await freshTable(target(), "a, b, c, d, e");
      await db.execute(
        `INSERT INTO ${table} VALUES(random(), randomblob(3), julianday(), unixepoch(), time())`,
      );
      const { rows } = await db.query<unknown>(
        `SELECT typeof(a), typeof(b), length(b), typeof(c), typeof(d), typeof(e) FROM ${table}`,
        [],
        { rows: "array" },
      );
      assert.deepEqual(rows, [["integer", "blob", 3, "real", "integer", "text"]]);
    });

    it("keep RETURNING, ESCAPE and the rest of the statement", async () => {
      const { db } = target();
      const table = await freshTable(target(), "id INTEGER PRIMARY KEY, a, t");
      await db.execute(`INSERT INTO ${table}(a) VALUES('50%'), ('50')`);
      const updated = await db.execute(
        `UPDATE ${table} SET t = datetime('now') WHERE a LIKE '%\\%' ESCAPE '\\' RETURNING id, t`,
      );
      assert.equal(updated.rows.length, 1);
      const deleted = await db.execute(
        `DELETE FROM ${table} WHERE a <> random() AND id = 2 RETURNING id`,
      );
      assert.deepEqual(deleted.rows, [{ id: 2 }]);
    });

    it("are left alone in literals, names, reads and the schema", async () => {
      const { db } = target();
      const table = await freshTable(
        target(),
        "id INTEGER PRIMARY KEY, t TEXT DEFAULT CURRENT_TIMESTAMP, random TEXT",
        "STRICT",
      );
      await db.execute(`INSERT INTO ${table}(random) VALUES('random() datetime(''now'')')`);
      const { rows } = await db.query(`SELECT random, t FROM ${table}`);
      assert.equal(rows[0]!.random, "random() datetime('now')");
      assert.match(String(rows[0]!.t), /^\d{4}-/);
      const read = await db.query("SELECT typeof(random()) AS a, datetime('now') > '2020' AS b");
      assert.deepEqual(read.rows, [{ a: "integer", b: 1 }]);
      const schema = await db.query("SELECT sql FROM sqlite_schema WHERE name = ?", [table]);
      assert.match(String(schema.rows[0]!.sql), /DEFAULT CURRENT_TIMESTAMP.*STRICT/s);
    });
  });
};
