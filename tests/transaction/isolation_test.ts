// What else belongs to a read: its order, its names, what stands behind a view, a trigger or a foreign key, and what a
// node holds for itself. Another client of ours that changes it between the read and the commit is a conflict; without
// one there is none.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Client, type Transaction, TransactionConflictError } from "../../mod.ts";
import { sleep } from "../support/http.ts";
import { PLACES, type World } from "./world.ts";

const SCHEMA = [
  "CREATE TABLE queue(id INTEGER PRIMARY KEY, name TEXT, prio INTEGER)",
  "CREATE TABLE items(id INTEGER PRIMARY KEY, name TEXT, n INTEGER DEFAULT 0, at TEXT DEFAULT CURRENT_TIMESTAMP)",
  "CREATE TABLE visits(id INTEGER PRIMARY KEY, name TEXT, at TEXT DEFAULT CURRENT_TIMESTAMP)",
  "CREATE TABLE parents(id INTEGER PRIMARY KEY)",
  "CREATE TABLE children(id INTEGER PRIMARY KEY, name TEXT, " +
  "parent REFERENCES parents(id) ON DELETE CASCADE ON UPDATE CASCADE)",
  "CREATE TABLE cousins(id INTEGER PRIMARY KEY, parent REFERENCES parents(id) ON DELETE SET NULL)",
  "CREATE TABLE counters(name TEXT PRIMARY KEY, n INTEGER) WITHOUT ROWID",
  "CREATE TABLE stamps(id INTEGER PRIMARY KEY, what TEXT, at TEXT)",
  "CREATE TABLE bag(name TEXT)",
  "CREATE TABLE goods(id INTEGER PRIMARY KEY, name TEXT, price REAL)",
  "CREATE TABLE docs(id INTEGER PRIMARY KEY, list TEXT)",
  "CREATE TABLE log(id INTEGER PRIMARY KEY, what TEXT)",
  "CREATE TABLE unrelated(n INTEGER)",
  "CREATE TRIGGER counted AFTER INSERT ON queue BEGIN " +
  "UPDATE counters SET n = n + 1 WHERE name = 'queue'; END",
  "CREATE TRIGGER stamped AFTER UPDATE ON queue BEGIN " +
  "INSERT INTO stamps(what, at) VALUES(new.name, strftime('%Y-%m-%d %H:%M:%f', 'now')); END",
  "CREATE VIEW high AS SELECT name FROM queue WHERE prio > 1",
  "CREATE VIEW seen AS SELECT id, name, n, datetime('now') AS seen FROM items",
  "CREATE VIEW due AS SELECT name, n FROM items WHERE at <= datetime('now', '+1 day')",
  "CREATE VIEW latest AS SELECT max(at) AS at FROM items",
  "CREATE VIEW dues(title) AS SELECT name FROM due WHERE n >= 0",
  "INSERT INTO queue VALUES(1, 'a', 1), (2, 'b', 2)",
  "INSERT INTO items(id, name) VALUES(1, 'one'), (2, 'two')",
  "INSERT INTO visits VALUES(1, 'a', '2020-01-01'), (2, 'b', '2021-01-01')",
  "INSERT INTO parents VALUES(1), (2)",
  "INSERT INTO children VALUES(1, 'c', 1), (2, 'd', 2)",
  "INSERT INTO cousins VALUES(1, 1)",
  "INSERT INTO counters VALUES('queue', 2)",
  "INSERT INTO bag VALUES('x'), ('y')",
  "INSERT INTO goods VALUES(1, 'pen', 0.1), (2, 'ink', 1e21)",
  "INSERT INTO docs VALUES(1, '[1,2]')",
];

const SWAP = "UPDATE queue SET prio = 3 - prio";
const RENAME = "UPDATE items SET name = 'changed' WHERE id = 1";
const LATER = "UPDATE items SET at = '2099-01-01 00:00:00' WHERE id = 1";
const ANOTHER = "INSERT INTO items(name) VALUES('three')";

/** What is read, and a write of another client that changes it. */
const READS: readonly (readonly [what: string, read: string, write: string])[] = [
  ["an order", "SELECT name FROM queue ORDER BY prio", SWAP],
  ["an order with a limit", "SELECT name FROM queue ORDER BY prio DESC LIMIT 1", SWAP],
  ["an order with an offset", "SELECT name FROM queue ORDER BY prio LIMIT 1 OFFSET 1", SWAP],
  ["an order by an expression", "SELECT name FROM queue ORDER BY -prio, name", SWAP],
  ["an order by an alias", "SELECT name, prio AS p FROM queue ORDER BY p", SWAP],
  ["an order by an expression of a hidden column", "SELECT id FROM queue ORDER BY abs(prio)", SWAP],
  [
    "an order with a collation",
    "SELECT id FROM queue ORDER BY name COLLATE NOCASE DESC NULLS LAST",
    "UPDATE queue SET name = CASE id WHEN 1 THEN 'B' ELSE 'a' END",
  ],
  ["an order of distinct rows", "SELECT DISTINCT name FROM queue ORDER BY prio", SWAP],
  ["an order of groups", "SELECT name FROM queue GROUP BY name ORDER BY max(prio)", SWAP],
  ["an order of a join", "SELECT i.name FROM items i JOIN queue USING(id) ORDER BY prio", SWAP],
  [
    "an order of what nodes hold for themselves",
    "SELECT at FROM visits ORDER BY name",
    "UPDATE visits SET at = CASE id WHEN 1 THEN '2021-01-01' ELSE '2020-01-01' END",
  ],
  [
    "an order of a compound",
    "SELECT name FROM queue UNION ALL SELECT name FROM items ORDER BY 1",
    RENAME,
  ],
  ["a window", "SELECT name, row_number() OVER (ORDER BY prio) AS place FROM queue", SWAP],
  [
    "an ordered list",
    "SELECT group_concat(name) AS list FROM (SELECT name FROM queue ORDER BY prio)",
    SWAP,
  ],
  ["the name of a column", "SELECT * FROM docs", "ALTER TABLE docs RENAME COLUMN list TO entries"],
  ["the number of columns", "SELECT * FROM docs", "ALTER TABLE docs ADD COLUMN more"],
  ["a view", "SELECT name FROM high", SWAP],
  ["a view with an alias", "SELECT h.name AS n FROM main.high AS h", SWAP],
  ["a view with the time", "SELECT name, seen FROM seen", RENAME],
  ["a view with the time, in part", "SELECT name FROM seen WHERE id = 1", RENAME],
  ["a view that asks for the time", "SELECT name FROM due", ANOTHER],
  ["a view of a view that asks for the time", "SELECT title FROM dues", ANOTHER],
  ["a view of times", "SELECT at FROM latest", LATER],
  ["a view joined with a table", "SELECT s.name, q.prio FROM seen s JOIN queue q USING(id)", SWAP],
  ["what a trigger writes", "SELECT n FROM counters", "INSERT INTO queue VALUES(3, 'c', 3)"],
  ["times that a trigger writes", "SELECT max(at) AS at FROM stamps", SWAP],
  ["rows that a trigger writes", "SELECT count(*) AS n FROM stamps WHERE at > '2000'", SWAP],
  ["what a cascade deletes", "SELECT name FROM children", "DELETE FROM parents WHERE id = 1"],
  [
    "what a cascade updates",
    "SELECT parent FROM children ORDER BY id",
    "UPDATE parents SET id = 7 WHERE id = 2",
  ],
  [
    "what a foreign key sets to NULL",
    "SELECT count(*) AS n FROM cousins WHERE parent IS NULL",
    "DELETE FROM parents WHERE id = 1",
  ],
  ["a greatest time", "SELECT max(at) AS at FROM items", LATER],
  ["rows by their time", "SELECT name FROM items WHERE at < '2090'", LATER],
  ["a count by time", "SELECT count(*) AS n FROM items WHERE at > '2000'", ANOTHER],
  ["the newest row", "SELECT name FROM items ORDER BY at DESC, id DESC LIMIT 1", LATER],
  ["groups by time", "SELECT substr(at, 1, 4) AS year, count(*) AS n FROM items GROUP BY 1", LATER],
  ["an expression of a time", "SELECT at || '' AS text FROM items", LATER],
  ["different times", "SELECT DISTINCT substr(at, 1, 4) AS year FROM items", LATER],
  ["a join on a time", "SELECT a.name FROM items a JOIN items b ON a.at = b.at", LATER],
  [
    "a time inside a sub-select",
    "SELECT name, (SELECT max(at) FROM items i WHERE i.id <= q.id) AS at FROM queue q",
    LATER,
  ],
  ["a time by its full name", "SELECT name FROM main.items WHERE main.items.at < '2090'", LATER],
  ["a row with a time", "SELECT * FROM items WHERE id = 1", RENAME],
  ["a missing row of a table with times", "SELECT id, at FROM items WHERE id = 3", ANOTHER],
  [
    "the schema",
    "SELECT name FROM sqlite_schema WHERE name NOT LIKE '%\\_%' ESCAPE '\\'",
    "CREATE TABLE more(n)",
  ],
  [
    "the columns of a table",
    "SELECT name FROM pragma_table_info('docs')",
    "ALTER TABLE docs ADD COLUMN more",
  ],
  ["rowids", "SELECT rowid AS r, name FROM bag", "DELETE FROM bag WHERE name = 'x'"],
  [
    "a text of a REAL",
    "SELECT name || price AS text FROM goods",
    "UPDATE goods SET price = 0.3 WHERE id = 1",
  ],
  [
    "JSON of a REAL",
    "SELECT json_group_array(json_array(name, price)) AS list FROM goods",
    "UPDATE goods SET price = 0.3 WHERE id = 1",
  ],
  [
    "rows of JSON",
    "SELECT value FROM docs, json_each(docs.list)",
    `UPDATE docs SET list = '[1,3]'`,
  ],
];

const MODES = ["eager", "lazy", "nested"] as const;
type Mode = typeof MODES[number];

interface Plan {
  readonly mode: Mode;
  readonly read: string;
  /** Somebody else does it after the read: before this transaction's own write, or right before the commit. */
  readonly write?: string;
  readonly early?: boolean;
}

const WRITE = "INSERT INTO log(what) VALUES('mine')";

/** Reads, lets the other client write, writes and commits; tells whether it conflicted. */
async function conflicts({ db, sql }: World, { mode, read, write, early }: Plan): Promise<boolean> {
  const tx = await db.begin({ mode: mode === "lazy" ? "lazy" : "eager" });
  const inside = async (tx: Transaction): Promise<void> => {
    await tx.query(read);
    if (early && write !== undefined) await sql(write);
    await tx.execute(WRITE);
  };
  try {
    await (mode === "nested" ? tx.transaction(inside) : inside(tx));
    if (!early && write !== undefined) await sql(write);
    await tx.commit();
    return false;
  } catch (error) {
    assert.ok(error instanceof TransactionConflictError, `${read}: ${error}`);
    await tx.rollback();
    return true;
  }
}

/** Makes the tables anew. */
async function fill({ other }: World): Promise<void> {
  const { rows } = await other.query<{ type: string; name: string }>(
    "SELECT type, name FROM sqlite_schema WHERE type IN ('table', 'view') " +
      "AND name NOT LIKE 'sqlite%' AND name NOT LIKE '_rqlite%' " +
      "ORDER BY type DESC, name IN ('parents', 'queue')",
  );
  await other.batch([...rows.map(({ type, name }) => `DROP ${type} ${name}`), ...SCHEMA]);
}

const rowsOf = async (db: Pick<Client, "query">, sql: string): Promise<unknown> =>
  (await db.query(sql, [], { rows: "array" })).rows;

for (const place of PLACES) {
  describe(`isolation on ${place.name}`, { skip: place.skip }, () => {
    const test = (name: string, body: (world: World) => Promise<void>) =>
      it(name, () =>
        place.run(async (world) => {
          await fill(world);
          await body(world);
        }));

    test("every read conflicts when another client changes what it read", async (world) => {
      const missed: string[] = [];
      for (const [what, read, write] of READS) {
        for (const mode of MODES) {
          for (const early of [false, true]) {
            await fill(world);
            const how = `${what}: ${mode}, ${early ? "before the write" : "before the commit"}`;
            const refused = await conflicts(world, { mode, read, write, early });
            if (!refused) missed.push(how);
            assert.equal(await world.value("SELECT count(*) FROM log"), refused ? 0 : 1, how);
          }
        }
      }
      assert.deepEqual(missed, []);
    });

    test("no read conflicts when nobody changes what it read", async (world) => {
      const refused: string[] = [];
      const write = "INSERT INTO unrelated VALUES(1)";
      for (const [what, read] of READS) {
        for (const mode of MODES) {
          if (await conflicts(world, { mode, read })) refused.push(`${what}: ${mode}, alone`);
          const beside = await conflicts(world, { mode, read, write });
          if (beside) refused.push(`${what}: ${mode}, beside another`);
        }
      }
      assert.deepEqual(refused, []);
    });

    test("rows[0] of an order that another client turns around is not acted on", async (world) => {
      const { db, sql, value } = world;
      let runs = 0;
      const taken = await db.transaction(async (tx) => {
        const { rows: [first] } = await tx.query<{ name: string }>(
          "SELECT name FROM queue ORDER BY prio",
        );
        if (runs++ === 0) await sql(SWAP);
        await tx.execute("INSERT INTO log(what) VALUES(?)", [first!.name]);
        return first!.name;
      });
      assert.deepEqual([taken, runs], ["b", 2]);
      assert.equal(await value("SELECT group_concat(what) FROM log"), "b");
    });

    test("a time that another client changes before this one's write is a conflict", async (world) => {
      for (
        const read of [
          "SELECT at FROM items",
          "SELECT * FROM items",
          "SELECT seen, at FROM seen JOIN items USING(id)",
        ]
      ) {
        await fill(world);
        assert.equal(
          await conflicts(world, { mode: "eager", read, write: LATER, early: true }),
          true,
          read,
        );
      }
    });

    test("a transaction that reads everything, writes to it and waits does not conflict", async (world) => {
      const { db, value } = world;
      for (const mode of ["eager", "lazy"] as const) {
        await fill(world);
        await db.transaction(async (tx) => {
          for (const [, read] of READS) await tx.query(read);
          await tx.execute("INSERT INTO items(name) VALUES('own')");
          await tx.execute("INSERT INTO queue VALUES(9, 'own', 9)");
          await tx.execute("UPDATE queue SET name = 'own too' WHERE id = 1");
          await tx.execute("DELETE FROM parents WHERE id = 1");
          await sleep(1100);
          for (const [, read] of READS) await tx.query(read);
          await tx.execute("UPDATE items SET n = n + 1");
        }, { mode, retries: 0 });
        assert.equal(await value("SELECT group_concat(n) FROM items"), "1,1,1", mode);
        assert.equal(await value("SELECT count(*) FROM stamps"), 1, mode);
      }
    });

    test("a view that another client makes anew is a conflict", async (world) => {
      const { db, other } = world;
      const tx = await db.begin();
      assert.deepEqual(await rowsOf(tx, "SELECT name FROM high"), [["b"]]);
      await other.batch(["DROP VIEW high", "CREATE VIEW high AS SELECT name FROM queue"]);
      await tx.execute(WRITE).catch(() => {});
      await assert.rejects(tx.commit(), TransactionConflictError);
    });

    test("0.0 that becomes -0.0 is a conflict where they can be told apart", async (world) => {
      const { db, sql, value, other } = world;
      await sql("CREATE TABLE zeros(id INTEGER PRIMARY KEY, x)");
      await sql("INSERT INTO zeros VALUES(1, 0.0)");
      const x = "SELECT x FROM zeros";
      for (const [mode, written] of [["eager", "-0.0"], ["lazy", "0.0"]] as const) {
        const before = await value(x);
        const tx = await db.begin({ mode });
        await tx.query(x);
        await sql(`UPDATE zeros SET x = ${written}`);
        const after = await value(x);
        await tx.execute("INSERT INTO log(what) VALUES('zero')").catch(() => {});
        const committed = await tx.commit().then(() => true, () => false);
        if (!Object.is(before, after)) assert.equal(committed, false);
      }
      assert.equal((await other.query("SELECT 1 FROM zeros")).rows.length, 1);
    });

    test("increments of clients at once through a view with the time are exact", async ({ connect, value }) => {
      const increment = async (tx: Transaction): Promise<void> => {
        const { rows: [row] } = await tx.query<{ n: number }>(
          "SELECT n, seen FROM seen WHERE id = 1",
        );
        await tx.execute("UPDATE items SET n = ? WHERE id = 1", [row!.n + 1]);
      };
      const worker = async (): Promise<void> => {
        const client = connect({});
        for (let i = 0; i < 5; i++) await client.transaction(increment, { retries: 100 });
        await client.close();
      };
      await Promise.all([worker(), worker(), worker(), worker()]);
      assert.equal(await value("SELECT n FROM items WHERE id = 1"), 20);
    });

    test("two that count by time and insert cannot both succeed", async ({ connect, value }) => {
      const [one, two] = [connect({}), connect({})];
      const [a, b] = [await one.begin(), await two.begin()];
      for (const tx of [a, b]) {
        await tx.query("SELECT count(*) AS n FROM items WHERE at > '2000'");
        await tx.execute("INSERT INTO items(name) VALUES('counted')");
      }
      await a.commit();
      await assert.rejects(b.commit(), TransactionConflictError);
      assert.equal(await value("SELECT count(*) FROM items WHERE name = 'counted'"), 1);
      await one.close();
      await two.close();
    });
  });
}
