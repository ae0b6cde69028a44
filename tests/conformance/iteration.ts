// Large results page by page.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Params, Row, Value } from "../../mod.ts";
import type { IterateOptions } from "../../mod.ts";
import { freshTable, recorded, type Target, thrownBy, type Topic } from "./target.ts";

async function all<R = Row>(
  { db }: Pick<Target, "db">,
  sql: string,
  params: Params = [],
  options: IterateOptions = {},
): Promise<R[]> {
  const rows: R[] = [];
  for await (const row of db.iterate<R>(sql, params, options)) {
    rows.push(row);
    if (rows.length > 10_000) throw new Error("It does not end");
  }
  return rows;
}

/** A table of the numbers from 1 on, with a text for each. */
async function numbers(target: Target, count: number): Promise<string> {
  const table = await freshTable(target, "id INTEGER PRIMARY KEY, n INTEGER, t TEXT");
  await target.db.execute(
    `WITH RECURSIVE x(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM x LIMIT ?) ` +
      `INSERT INTO ${table} SELECT i, i % 10, 'text ' || i FROM x`,
    [count],
  );
  return table;
}

export const iteration: Topic = (target) => {
  pages(target);
  keys(target);
  ends(target);
  refused(target);
};

const pages: Topic = (target) => {
  describe("iterate()", () => {
    it("gives 2,500 rows in pages of 100, in order", async () => {
      const table = await numbers(target(), 2500);
      const { db, sent } = recorded(target(), { level: "weak" });
      const rows = await all<{ id: number; t: string }>(
        { db },
        `SELECT id, t FROM ${table}`,
        [],
        { pageSize: 100 },
      );
      assert.equal(rows.length, 2500);
      assert.ok(rows.every(({ id, t }, i) => id === i + 1 && t === `text ${id}`));
      assert.deepEqual(Object.keys(rows[0]!), ["id", "t"]);
      assert.equal(sent.length, 25);
    });

    it("takes every size of page", async () => {
      const table = await numbers(target(), 10);
      for (const pageSize of [1, 2, 3, 5, 9, 10, 11, 1000]) {
        const rows = await all(target(), `SELECT n AS x, id FROM ${table}`, [], { pageSize });
        assert.deepEqual(rows.map(({ id }) => id), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      }
    });

    it("takes conditions, expressions, aliases, * and parameters of each form", async () => {
      const table = await numbers(target(), 30);
      const options = { pageSize: 4 };
      const cases: [string, Params, number][] = [
        [`SELECT * FROM ${table} WHERE n < ?`, [3], 9],
        [`SELECT * FROM ${table} WHERE n < :max AND id > $min;`, { max: 3, min: 10 }, 6],
        [`SELECT ?2 AS c, t FROM ${table} AS q WHERE q.n = ?1 OR q.n = ?1 + 1`, [1, "x"], 6],
        [`select distinct_.n from ${table} distinct_ -- c`, [], 30],
        [`SELECT (SELECT max(id) FROM ${table}) AS m, id FROM main.${table}`, [], 30],
        [`SELECT t FROM ${table} WHERE id IN (SELECT id FROM ${table} ORDER BY t LIMIT 7)`, [], 7],
        [`SELECT t FROM ${table} WHERE hex(t) <> hex(:b)`, { b: new Uint8Array([1]) }, 30],
      ];
      for (const [sql, params, count] of cases) {
        assert.equal((await all(target(), sql, params, options)).length, count, sql);
      }
    });

    it("gives arrays with every column, and integers in the mode asked for", async () => {
      const table = await numbers(target(), 5);
      const options = { pageSize: 2, rows: "array", integers: "bigint" } as const;
      const rows = await all<Value[]>(target(), `SELECT id, n AS id, t FROM ${table}`, [], options);
      assert.deepEqual(rows[4], [5n, 5n, "text 5"]);
      assert.equal(rows.length, 5);
    });

    it("gives nothing for an empty result", async () => {
      const table = await numbers(target(), 5);
      assert.deepEqual(await all(target(), `SELECT id FROM ${table} WHERE n > 99`), []);
      assert.deepEqual(
        await all(target(), `SELECT id FROM ${table} WHERE 0`, [], { by: "id" }),
        [],
      );
    });

    it("gives negative rowids and those beyond 2^53", async () => {
      const { db } = target();
      const table = await freshTable(target(), "v TEXT");
      const ids = [-(2n ** 63n), -(2n ** 53n) - 1n, -5n, 0n, 3n, 2n ** 53n + 1n, 2n ** 63n - 1n];
      await db.batch(ids.map((id) => [`INSERT INTO ${table}(rowid, v) VALUES(?, ?)`, id, `${id}`]));
      for (const pageSize of [1, 2, 7]) {
        const rows = await all(target(), `SELECT v FROM ${table}`, [], { pageSize });
        assert.deepEqual(rows.map(({ v }) => v), ids.map(String));
      }
    });

    it("gives BLOBs and every other kind of value", async () => {
      const { db } = target();
      const table = await freshTable(target(), "b BLOB, r REAL, d DATETIME, f BOOLEAN");
      const row = { b: new Uint8Array([255, 0]), r: 1.5, d: "2024-01-02T03:04:05Z", f: true };
      for (let i = 0; i < 3; i++) {
        await db.execute(`INSERT INTO ${table} VALUES(:b, :r, :d, :f)`, row);
      }
      assert.deepEqual(await all(target(), `SELECT * FROM ${table}`, [], { pageSize: 1 }), [
        row,
        row,
        row,
      ]);
    });
  });
};

const keys: Topic = (target) => {
  const keyed = async (type: string, stored: readonly Value[]): Promise<string> => {
    const table = await freshTable(target(), `k ${type}`);
    await target().db.batch(stored.map((k) => [`INSERT INTO ${table} VALUES(?)`, k]));
    return table;
  };
  describe("iterate() by a column", () => {
    const cases: Readonly<Record<string, readonly [string, readonly Value[]]>> = {
      integers: ["INTEGER", [-(2n ** 60n), -1, 0, 7, 2n ** 60n]],
      "real numbers": ["REAL", [-1e300, -0.1, 5e-324, 0.1 + 0.2, 1, 1e20]],
      texts: ["TEXT", ["", "'", "''", 'a"b', "a'b", "a'b'c", "é", "🦆"]],
      BLOBs: ["BLOB", [
        new Uint8Array([]),
        new Uint8Array([0]),
        new Uint8Array([0, 0]),
        new Uint8Array([255]),
      ]],
      "numbers, texts and BLOBs": ["BLOB", [1, 2.5, "1", "a", new Uint8Array([1])]],
      dates: ["DATETIME", ["2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z"]],
      "texts with NUL characters": ["TEXT", ["a", "a\0a", "a\0b", "b"]],
    };
    for (const [name, [type, stored]] of Object.entries(cases)) {
      it(`of ${name} gives each row once, in order`, async () => {
        const table = await keyed(type, stored);
        for (const pageSize of [1, 2, 100]) {
          const rows = await all(target(), `SELECT k FROM ${table}`, [], {
            by: "k",
            pageSize,
            integers: "auto",
          });
          assert.deepEqual(rows.map(({ k }) => k), stored);
        }
      });
    }

    it("takes any SELECT: joins, groups, unions, WITH, views and tables without rowid", async () => {
      const { db } = target();
      const table = await numbers(target(), 20);
      const bare = await freshTable(target(), "k TEXT PRIMARY KEY", "WITHOUT ROWID");
      await db.execute(`INSERT INTO ${bare} SELECT t FROM ${table}`);
      await db.execute(`CREATE VIEW v_${table} AS SELECT id * 2 AS k FROM ${table}`);
      const selects: [string, number][] = [
        [`SELECT a.id AS k, b.t FROM ${table} a JOIN ${table} b ON a.id = b.id`, 20],
        [`SELECT n AS k, count(*) AS c FROM ${table} GROUP BY n`, 10],
        [`SELECT id AS k FROM ${table} UNION SELECT id + 20 FROM ${table}`, 40],
        [`WITH x AS (SELECT id AS k FROM ${table}) SELECT k FROM x`, 20],
        [`SELECT * FROM v_${table}`, 20],
        [`SELECT k FROM ${bare}`, 20],
        [`SELECT id AS k FROM ${table} ORDER BY id DESC LIMIT 7`, 7],
        [`VALUES(1), (2)`, 2],
      ];
      for (const [sql, count] of selects) {
        const by = sql.startsWith("VALUES") ? "column1" : "k";
        const rows = await all<Row>(target(), sql, [], { by, pageSize: 3 });
        assert.equal(rows.length, count, sql);
        assert.equal(new Set(rows.map((row) => row[by])).size, count, sql);
      }
    });

    it("takes a column with an odd name", async () => {
      const table = await numbers(target(), 5);
      const by = 'a "b" c';
      const rows = await all(target(), `SELECT id AS "a ""b"" c" FROM ${table}`, [], {
        by,
        pageSize: 2,
      });
      assert.deepEqual(rows.map((row) => row[by]), [1, 2, 3, 4, 5]);
    });

    it("that is not unique is an error before a row would be lost", async () => {
      const table = await numbers(target(), 20);
      const error = await thrownBy(
        all(target(), `SELECT n FROM ${table}`, [], { by: "n", pageSize: 3 }),
      );
      assert.deepEqual([error.name, error.message], [
        "ProgrammingError",
        'Cannot iterate by "n" as it is NULL or not unique: rows between two pages would be lost',
      ]);
    });

    it("that is NULL is an error before a row would be lost", async () => {
      const table = await keyed("TEXT", [null, null, "a", "b"]);
      await assert.rejects(all(target(), `SELECT k FROM ${table}`, [], { by: "k", pageSize: 1 }), {
        name: "ProgrammingError",
        message: /is NULL or not unique/,
      });
    });

    it("that is not unique by its own comparison is an error, too", async () => {
      for (
        const [type, stored] of [["TEXT COLLATE NOCASE", ["a", "A", "b"]], ["BLOB", [
          1,
          1.5,
          2,
        ]]] as const
      ) {
        const table = await keyed(type, stored);
        const found = await all(target(), `SELECT k FROM ${table}`, [], { by: "k", pageSize: 1 })
          .catch((error: Error) => error.name);
        assert.ok(
          found === "ProgrammingError" || found.length === stored.length,
          JSON.stringify(found),
        );
      }
    });

    it("that does not exist is an error", async () => {
      const table = await numbers(target(), 5);
      const error = await thrownBy(
        all(target(), `SELECT id FROM ${table}`, [], { by: "nope", pageSize: 2 }),
      );
      assert.equal(error.name, "ProgrammingError");
      assert.match(error.message, /nope/);
    });
  });
};

const ends: Topic = (target) => {
  describe("an iteration that ends early", () => {
    it("by break reads no further page", async () => {
      const table = await numbers(target(), 50);
      const { db, sent } = recorded(target(), { level: "weak" });
      for await (const row of db.iterate(`SELECT id FROM ${table}`, [], { pageSize: 5 })) {
        if (row.id === 7) break;
      }
      assert.equal(sent.length, 2);
    });

    it("asks for nothing before the first row is wanted", async () => {
      const { db, sent } = recorded(target());
      const rows = db.iterate("SELECT a FROM nope");
      assert.equal(sent.length, 0);
      await rows.return?.();
      assert.equal(sent.length, 0);
    });

    it("by abort gives the reason", async () => {
      const table = await numbers(target(), 50);
      const controller = new AbortController();
      const reason = new Error("enough");
      const seen: unknown[] = [];
      const { signal } = controller;
      const iterating = (async () => {
        const rows = target().db.iterate(`SELECT id FROM ${table}`, [], { pageSize: 5, signal });
        for await (const row of rows) {
          if (seen.push(row.id) === 7) controller.abort(reason);
        }
      })();
      assert.equal(await thrownBy(iterating), reason);
      assert.equal(seen.length, 10);
    });

    it("by an error of the node gives that error", async () => {
      await assert.rejects(all(target(), "SELECT a FROM nope"), { name: "ProgrammingError" });
    });
  });
};

const refused: Topic = (target) => {
  describe("iterate() refuses", () => {
    const plain =
      "Cannot iterate by rowid as this is not a plain SELECT from one table with rowids: " +
      "name a unique column with `by`";
    const cases: readonly [sql: string, message: string][] = [
      ["SELECT a.x FROM a JOIN b", plain],
      ["SELECT x FROM a, b", plain],
      ["SELECT DISTINCT x FROM a", plain],
      ["SELECT x FROM a GROUP BY x", plain],
      ["SELECT x FROM a UNION SELECT y FROM b", plain],
      ["SELECT x FROM a ORDER BY y", plain],
      ["SELECT x FROM a LIMIT 5", plain],
      ["SELECT 1", plain],
      ["VALUES(1)", plain],
      ["DELETE FROM a", "Cannot iterate over DELETE as it is not a SELECT"],
      ["CREATE TABLE a(b)", "Cannot iterate over CREATE as it is not a SELECT"],
      ["PRAGMA user_version", "Cannot iterate over PRAGMA as it is not a SELECT"],
      ["-- nothing", "Cannot iterate over an empty statement as it is not a SELECT"],
    ];
    for (const [sql, message] of cases) {
      it(sql, () => {
        const { db, sent } = recorded(target());
        assert.throws(() => db.iterate(sql), { name: "ProgrammingError", message });
        assert.equal(sent.length, 0);
      });
    }

    it("sizes of a page that are none", () => {
      for (const pageSize of [0, -1, 1.5, NaN, Infinity]) {
        assert.throws(() => target().db.iterate("SELECT a FROM t", [], { pageSize }), {
          name: "RangeError",
          message:
            `Cannot use \`pageSize\` as it must be a positive integer: current value is ${pageSize}`,
        });
      }
    });

    it("a column that the result does not have, where SQLite would read text", async () => {
      const table = await numbers(target(), 3);
      for (const by of ["nope", 'n o`p"e', `${table}.id`, "text"]) {
        await assert.rejects(all(target(), `SELECT id, t FROM ${table}`, [], { by, pageSize: 1 }), {
          name: "ProgrammingError",
          message:
            `Cannot iterate by "${by}" as the result has no such column: name one of it with \`by\``,
        });
      }
      const names = `SELECT id AS "a\`b" FROM ${table}`;
      assert.equal((await all(target(), names, [], { by: "a`b", pageSize: 1 })).length, 3);
    });

    it("parameters that do not match", () => {
      assert.throws(() => target().db.iterate("SELECT a FROM t WHERE b = ?"), {
        name: "ProgrammingError",
      });
      assert.throws(() => target().db.iterate("SELECT a FROM t WHERE b = ?", [NaN]), {
        name: "RangeError",
      });
    });

    it("tables without rowid, views and WITH, and says to name a column", async () => {
      const { db } = target();
      const table = await freshTable(target(), "k TEXT PRIMARY KEY", "WITHOUT ROWID");
      await db.execute(`INSERT INTO ${table} VALUES('a'), ('b'), ('c')`);
      await db.execute(`CREATE VIEW v_${table} AS SELECT k FROM ${table}`);
      const selects = [
        `SELECT k FROM ${table}`,
        `SELECT k FROM v_${table}`,
        `WITH x AS (SELECT k FROM ${table}) SELECT k FROM x`,
        `SELECT k FROM (SELECT k FROM ${table})`,
      ];
      for (const sql of selects) {
        const error = await thrownBy(all(target(), sql, [], { pageSize: 1 }));
        assert.equal(error.name, "ProgrammingError", sql);
        assert.match(error.message, /\bby\b/, sql);
      }
    });
  });
};
