// A read of one row is compared value by value at commit, without a digest: fewer statements, and every change is seen.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { connect, type TransactionOptions } from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { PLACES } from "./world.ts";

const READ = "SELECT n FROM counters WHERE id = ?";

/** How many statements each request of an increment has, when all is known; a read makes the node notice DDL by one. */
async function counted(options: TransactionOptions): Promise<number[]> {
  const { fetch } = embedded();
  const counts: number[] = [];
  const db = connect("http://embedded", {
    fetch: (input: string | URL | Request, init?: RequestInit) => {
      counts.push((JSON.parse(String(init?.body)) as unknown[]).length);
      return fetch(input, init);
    },
  });
  await db.batch([
    "CREATE TABLE counters(id INTEGER PRIMARY KEY, n INTEGER)",
    "INSERT INTO counters VALUES(1, 0)",
  ]);
  for (let i = 0; i < 3; i++) {
    counts.length = 0;
    await db.transaction(async (tx) => {
      const n = await tx.value<number>(READ, [1]);
      await tx.execute("UPDATE counters SET n = ? WHERE id = ?", [n! + 1, 1]);
    }, options);
  }
  const sent = [...counts];
  assert.equal(await db.value(READ, [1]), 3);
  await db.close();
  return sent;
}

describe("a row that is read and written", () => {
  it("lazy: the row; the id, a guard and the write", async () => {
    assert.deepEqual(await counted({ mode: "lazy" }), [2, 3]);
  });

  it("eager: the write is tried in between, and has a guard of its own", async () => {
    assert.deepEqual(await counted({ mode: "eager" }), [2, 3, 4]);
  });
});

describe("a row of all columns", () => {
  for (const ddl of ["ADD COLUMN m INT", "RENAME COLUMN n TO m"]) {
    it(`is told again where a node that is behind does not know ${ddl}`, async () => {
      const [leader, behind] = [embedded(), embedded()];
      let nodes = leader;
      const db = connect("http://embedded", {
        fetch: (input: string | URL | Request, init?: RequestInit) => {
          const reads = String(input).includes("/db/query");
          return (reads ? nodes : leader).fetch(input, init);
        },
      });
      for (const node of [behind, leader]) {
        const one = connect(node);
        await one.batch([
          "CREATE TABLE counters(id INTEGER PRIMARY KEY, n INT)",
          "INSERT INTO counters VALUES(1, 1)",
          "CREATE TABLE log(run)",
        ]);
      }
      await db.execute(`ALTER TABLE counters ${ddl}`);
      const told: (readonly string[])[] = [];
      for (const reads of [leader, leader, behind]) {
        told.length = 0;
        await db.transaction(async (tx) => {
          nodes = told.length === 0 ? reads : leader;
          const { columns } = await tx.query("SELECT * FROM counters WHERE id = 1");
          told.push(columns);
          nodes = leader;
          await tx.execute("INSERT INTO log VALUES(?)", [told.length]);
        }, { level: "none" });
      }
      assert.ok(told.at(-1)!.includes("m"), told.join(" and then "));
      await db.close();
      leader.close();
      behind.close();
    });
  }
});

/** What a row holds, what it becomes, and whether a read tells the difference. */
const CHANGES: readonly (readonly [was: string, is: string, tells: boolean])[] = [
  ["i = 1", "i = 2", true],
  ["i = 1", "i = '1'", false],
  ["i = 1", "i = 1.5", true],
  ["i = 1.5", "i = 2", true],
  ["i = 1", "i = NULL", true],
  ["i = NULL", "i = 0", true],
  ["i = 9007199254740993", "i = 9007199254740992", true],
  ["i = 9007199254740993", "i = i", false],
  ["i = 1e19", "i = i", false],
  ["i = 'one'", "i = i", false],
  ["i = 'one'", "i = 'ONE'", true],
  ["i = x'31'", "i = '1'", true],
  ["t = 'a'", "t = 'A'", true],
  ["t = 'a'", "t = 'a '", true],
  ["t = 'a'", "t = ''", true],
  ["t = ''", "t = NULL", true],
  ["t = '1'", "t = 1", false],
  ["t = 'a'", "t = t", false],
  ["t = x'61'", "t = t", false],
  ["t = x'61'", "t = x'62'", true],
  ["t = x'ff'", "t = x'fe'", true],
  ["t = x'ff'", "t = t", false],
  ["t = 'x''41'''", "t = t", false],
  ["t = 'x''41'''", "t = 'A'", true],
  ["t = char(65533)", "t = t", false],
  ["t = 'a' || char(0) || 'b'", "t = 'a'", true],
  ["t = 'a' || char(0) || 'b'", "t = t", false],
  ["t = 'a' || char(0) || 'b'", "t = x'610062'", true],
  ["t = char(1)", "t = x'01'", true],
  ["t = x'01'", "t = char(1)", true],
  ["t = 'a' || char(10)", "t = x'610a'", false],
  ["c = 'a'", "c = x'61'", true],
  ["c = x'61'", "c = 'a'", true],
  ["c = 'a'", "c = c", false],
  ["r = 1", "r = r", false],
  ["r = 1", "r = 1.5", true],
  ["a = 1", "a = 1.0", true],
  ["a = 'a'", "a = x'61'", false],
  ["a = 'a'", "a = x'62'", true],
  ["a = 1", "a = a", false],
];

for (const place of PLACES) {
  describe(`one row of a table on ${place.name}`, { skip: place.skip }, () => {
    it("is a conflict where the read would tell something else, and only there", () =>
      place.run(async ({ db, sql }) => {
        await sql(
          "CREATE TABLE t(id INTEGER PRIMARY KEY, i INT, t TEXT COLLATE NOCASE, r REAL, c CHAR(10), a)",
        );
        await sql("CREATE TABLE log(was, run)");
        await sql("INSERT INTO t(id) VALUES(1)");
        for (const [i, [was, is, tells]] of CHANGES.entries()) {
          const column = was[0];
          const read = `SELECT id, ${column} AS c${i} FROM t WHERE id = ?`;
          await sql(`UPDATE t SET ${was}`);
          await db.transaction((tx) => tx.query(read, [1], { integers: "auto" }));
          let runs = 0;
          await db.transaction(async (tx) => {
            await tx.query(read, [1], { integers: "auto" });
            if (runs++ === 0) await sql(`UPDATE t SET ${is}`);
            await tx.execute("INSERT INTO log VALUES(?, ?)", [was, runs]);
          });
          assert.equal(runs, tells ? 2 : 1, `${was}, then ${is}`);
        }
      }));

    it("is a conflict where a row comes, goes or gets company", () =>
      place.run(async ({ db, sql }) => {
        await sql("CREATE TABLE t(id INTEGER PRIMARY KEY, k TEXT, n INT)");
        await sql("CREATE TABLE log(run)");
        const read = "SELECT n FROM t WHERE k = ? ORDER BY id";
        await db.transaction((tx) => tx.query(read, ["k"]));
        for (
          const change of [
            "INSERT INTO t VALUES(1, 'k', 1)",
            "INSERT INTO t VALUES(2, 'k', 1)",
            "DELETE FROM t WHERE id = 1",
            "DELETE FROM t",
          ]
        ) {
          const told: unknown[] = [];
          await db.transaction(async (tx) => {
            const { rows } = await tx.query(read, ["k"]);
            told.push(rows.length);
            if (told.length === 1) await sql(change);
            await tx.execute("INSERT INTO log VALUES(?)", [told.length]);
          });
          assert.equal(told.length, 2, change);
        }
      }));

    it("is told by an expression or a table of other types, too", () =>
      place.run(async ({ db, sql }) => {
        await sql("CREATE TABLE t(id INTEGER PRIMARY KEY, n INT)");
        await sql("INSERT INTO t VALUES(1, 4), (2, 5)");
        await sql("CREATE TABLE log(run)");
        const halved =
          "SELECT CASE n % 2 WHEN 0 THEN n / 2 ELSE n * 0.4 END AS h FROM t WHERE id = ?";
        const both = "SELECT n FROM t WHERE id = ? AND n = 9 UNION ALL SELECT 2.0";
        for (const read of [halved, both]) {
          for (const id of [1, 1, 2, 2, 1, "1"]) {
            let runs = 0;
            await db.transaction(async (tx) => {
              runs++;
              assert.equal(await tx.value(read, [id]), 2);
              await tx.execute("INSERT INTO log VALUES(?)", [runs]);
            });
            assert.equal(runs, 1, `${read} of ${id}`);
          }
        }
      }));

    it("is a conflict where another program has changed the table, which is not written", () =>
      place.run(async ({ db, sql, other }) => {
        await sql("CREATE TABLE t(id INTEGER PRIMARY KEY, n INT)");
        await sql("INSERT INTO t VALUES(1, 1)");
        await sql("CREATE TABLE log(run)");
        const read = "SELECT n FROM t WHERE id = ?";
        await db.transaction((tx) => tx.value(read, [1]));
        let runs = 0;
        await db.transaction(async (tx) => {
          await tx.value(read, [1]);
          const ddl = "ALTER TABLE t ADD COLUMN more";
          if (runs++ === 0) await other.execute(ddl, [], { exactlyOnce: false });
          await tx.execute("INSERT INTO log VALUES(?)", [runs]);
        });
        assert.equal(runs, 2);
      }));

    it("is not compared with what DDL in front of it has made of the table", () =>
      place.run(async ({ db, sql }) => {
        await sql("CREATE TABLE t(id INTEGER PRIMARY KEY, n INT)");
        await sql("INSERT INTO t VALUES(1, 1)");
        const read = "SELECT n FROM t WHERE id = ?";
        let runs = 0;
        await db.transaction(async (tx) => {
          runs++;
          await tx.value(read, [1]);
          await tx.execute("ALTER TABLE t ADD COLUMN more INT");
          for (let i = 0; i < 3; i++) assert.equal(await tx.value(read, [1]), 1);
          await tx.execute("CREATE TABLE u(id INTEGER PRIMARY KEY, n INT)");
          await tx.execute("INSERT INTO u VALUES(1, 2)");
          for (let i = 0; i < 3; i++) {
            assert.equal(await tx.value("SELECT n FROM u WHERE id = 1"), 2);
          }
        });
        assert.equal(runs, 1);
      }));

    it("takes as many parameters as a digest of it does", () =>
      place.run(async ({ db, sql }) => {
        await sql("CREATE TABLE t(id INTEGER PRIMARY KEY, n INT)");
        await sql("INSERT INTO t VALUES(1, 1)");
        const ids = Array.from({ length: 32_765 }, (_, i) => i);
        const read = `SELECT id, n FROM t WHERE n = 1 AND id IN (${ids.map(() => "?").join()})`;
        for (const run of [1, 2]) {
          await db.transaction(async (tx) => {
            assert.equal((await tx.query(read, ids)).rows.length, 1);
            await tx.execute("UPDATE t SET id = id WHERE id <> ?", [run]);
          });
        }
      }));

    it("is judged once more without a digest", () =>
      place.run(async ({ db, sql }) => {
        await sql("CREATE TABLE t(id INTEGER PRIMARY KEY, n INT)");
        await sql("INSERT INTO t VALUES(1, 1), (2, 2)");
        const read = "SELECT n FROM t WHERE id = ?";
        for (const change of ["n = n", "n = n", "n = n + 1"]) {
          let runs = 0;
          const run = db.transaction(async (tx) => {
            await tx.value(read, [1]);
            if (runs++ === 0) await sql(`UPDATE t SET ${change} WHERE id = 1`);
            await tx.value(read, [2]);
          });
          await run;
          assert.equal(runs, change === "n = n" ? 1 : 2, change);
        }
      }));
  });
}
