// A read right after a change of the schema shows values under their own names, by their own types.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Client, connect, type Row } from "../../mod.ts";
import { freshTable, type Target, type Topic } from "./target.ts";

const CHANGES: Readonly<Record<string, readonly [statements: readonly string[], row: Row]>> = {
  "DROP COLUMN": [["ALTER TABLE # DROP COLUMN b"], { a: "A", c: "C" }],
  "ADD COLUMN": [["ALTER TABLE # ADD COLUMN d DEFAULT 'D'"], { a: "A", b: "B", c: "C", d: "D" }],
  "RENAME COLUMN": [["ALTER TABLE # RENAME COLUMN a TO z"], { z: "A", b: "B", c: "C" }],
  "DROP and CREATE": [
    ["DROP TABLE #", "CREATE TABLE #(c, b, a)", "INSERT INTO # VALUES('C', 'B', 'A')"],
    { c: "C", b: "B", a: "A" },
  ],
};

type Read = (db: Client, table: string) => Promise<Row>;

const first = (rows: readonly unknown[]): Row => rows[0] as Row;

const READS: Readonly<Record<string, Read>> = {
  query: async (db, table) => first((await db.query(`SELECT * FROM ${table}`)).rows),
  "query of x.*": async (db, table) => first((await db.query(`SELECT x.* FROM ${table} x`)).rows),
  "query of a sub-select": async (db, table) =>
    first((await db.query(`SELECT * FROM (SELECT * FROM ${table})`)).rows),
  "query with WITH": async (db, table) =>
    first((await db.query(`WITH x AS (SELECT * FROM ${table}) SELECT * FROM x`)).rows),
  "query of a compound": async (db, table) =>
    first((await db.query(`SELECT * FROM ${table} UNION ALL SELECT * FROM ${table}`)).rows),
  "query with a comment": async (db, table) =>
    first((await db.query(`SELECT/* c */* FROM ${table} -- c`)).rows),
  "query at level none": async (db, table) =>
    first((await db.query(`SELECT * FROM ${table}`, [], { level: "none" })).rows),
  "query at level strong": async (db, table) =>
    first((await db.query(`SELECT * FROM ${table}`, [], { level: "strong" })).rows),
  execute: async (db, table) => first((await db.execute(`SELECT * FROM ${table}`)).rows),
  "batch of reads": async (db, table) =>
    first((await db.batch([`SELECT 1`, `SELECT * FROM ${table}`]))[1]!.rows),
  "loose batch of reads": async (db, table) =>
    first((await db.batch([`SELECT 1`, `SELECT * FROM ${table}`], { atomic: false }))[1]!.rows),
  "batch with a write": async (db, table) =>
    first(
      (await db.batch([`UPDATE ${table} SET c = c`, `SELECT * FROM ${table}`]))[1]!.rows,
    ),
  "loose batch with a write": async (db, table) => {
    const statements = [`SELECT * FROM ${table}`, `UPDATE ${table} SET c = c`];
    return first((await db.batch(statements, { atomic: false }))[0]!.rows);
  },
  "RETURNING *": async (db, table) =>
    first((await db.execute(`UPDATE ${table} SET c = c RETURNING *`)).rows),
  iterate: async (db, table) => {
    for await (const row of db.iterate(`SELECT * FROM ${table}`)) return row;
    assert.fail("No row");
  },
};

/** Lets every pooled connection of the server read the schema. */
async function warm(db: Client, read: Read, table: string): Promise<Row[]> {
  return await Promise.all(Array.from({ length: 4 }, () => read(db, table)));
}

const MODE = { integers: "bigint" } as const;

/** Reads of columns by their names. */
const NAMED: Readonly<Record<string, Read>> = {
  query: async (db, table) => first((await db.query(`SELECT v, w FROM ${table}`, [], MODE)).rows),
  "query of a sub-select": async (db, table) =>
    first((await db.query(`SELECT v, w FROM (SELECT w, v FROM ${table})`, [], MODE)).rows),
  "query at level none": async (db, table) => {
    const options = { ...MODE, level: "none" } as const;
    return first((await db.query(`SELECT v, w FROM ${table}`, [], options)).rows);
  },
  "batch of reads": async (db, table) =>
    first((await db.batch([`SELECT 1`, `SELECT v, w FROM ${table}`], MODE))[1]!.rows),
  "loose batch of reads": async (db, table) => {
    const options = { ...MODE, atomic: false };
    return first((await db.batch([`SELECT 1`, `SELECT v, w FROM ${table}`], options))[1]!.rows);
  },
  "read in a transaction": (db, table) =>
    db.transaction(async (tx) => first((await tx.query(`SELECT v, w FROM ${table}`)).rows), MODE),
  iterate: async (db, table) => {
    for await (const row of db.iterate(`SELECT v, w FROM ${table}`, [], MODE)) return row;
    assert.fail("No row");
  },
};

/** What becomes of a REAL and an INTEGER with a 1; `#` is the table. */
const RETYPED: Readonly<Record<string, readonly string[]>> = {
  "DROP and CREATE with other types": [
    "DROP TABLE #",
    "CREATE TABLE #(v INTEGER, w REAL)",
    "INSERT INTO # VALUES(9007199254740993, 1)",
  ],
  "DROP and ADD COLUMN with other types": [
    "ALTER TABLE # DROP COLUMN v",
    "ALTER TABLE # ADD COLUMN v INTEGER DEFAULT 9007199254740993",
    "ALTER TABLE # DROP COLUMN w",
    "ALTER TABLE # ADD COLUMN w REAL DEFAULT 1",
  ],
};

async function retype(target: Target, read: Read, change: keyof typeof RETYPED): Promise<void> {
  const table = await freshTable(target, "id INTEGER PRIMARY KEY, v REAL, w INTEGER");
  await target.db.execute(`INSERT INTO ${table}(v, w) VALUES(1, 1)`);
  for (const row of await warm(target.db, read, table)) assert.deepEqual(row, { v: 1, w: 1n });
  const other = connect(target.url, { fetch: target.fetch });
  await other.batch(RETYPED[change]!.map((sql) => sql.replaceAll("#", table)));
  await other.close();
  const expected = { v: 9_007_199_254_740_993n, w: 1 };
  for (const row of await warm(target.db, read, table)) assert.deepEqual(row, expected);
}

async function changeUnder(
  target: Target,
  read: Read,
  change: keyof typeof CHANGES,
): Promise<void> {
  const [statements, expected] = CHANGES[change]!;
  const table = await freshTable(target, "a, b, c");
  await target.db.execute(`INSERT INTO ${table} VALUES('A', 'B', 'C')`);
  await warm(target.db, read, table);
  const other = connect(target.url, { fetch: target.fetch });
  await other.batch(statements.map((sql) => sql.replaceAll("#", table)));
  await other.close();
  for (const row of await warm(target.db, read, table)) {
    assert.deepEqual(Object.entries(row), Object.entries(expected));
  }
}

export const schema: Topic = (target) => {
  for (const change of Object.keys(CHANGES)) {
    describe(`after ${change} by another client`, () => {
      for (const [name, read] of Object.entries(READS)) {
        it(`${name} gives values under their own names`, () => changeUnder(target(), read, change));
      }
    });
  }

  for (const change of Object.keys(RETYPED)) {
    describe(`after ${change} by another client`, () => {
      for (const [name, read] of Object.entries(NAMED)) {
        it(`${name} of named columns gives values by their new types`, () =>
          retype(target(), read, change));
      }
    });
  }

  describe("after a view has changed", () => {
    it("query gives values under their own names", async () => {
      const { db } = target();
      const table = await freshTable(target(), "a, b");
      await db.execute(`INSERT INTO ${table} VALUES('A', 'B')`);
      await db.execute(`CREATE VIEW v_${table} AS SELECT a, b FROM ${table}`);
      const read = READS.query!;
      await warm(db, read, `v_${table}`);
      await db.batch([
        `DROP VIEW v_${table}`,
        `CREATE VIEW v_${table} AS SELECT b, a FROM ${table}`,
      ]);
      for (const row of await warm(db, read, `v_${table}`)) {
        assert.deepEqual(Object.entries(row), [["b", "B"], ["a", "A"]]);
      }
    });
  });
};
