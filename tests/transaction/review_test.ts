// Faults that a review of the transaction core found, each as the smallest program that shows it.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type Client,
  connect,
  NotSupportedError,
  type Result,
  type Transaction,
  TransactionConflictError,
} from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { startCluster } from "../support/cluster.ts";
import { skipWithoutRqlited } from "../support/rqlited.ts";
import { sleep } from "../support/http.ts";
import { storeRaw } from "../replicas/raw.ts";
import { rowsOfEach } from "../support/replicas.ts";
import { PLACES, type World } from "./world.ts";

const T = "CREATE TABLE t(id INTEGER PRIMARY KEY, v INTEGER, u TEXT)";
const OTHER = ["CREATE TABLE a(x)", "INSERT INTO a VALUES(1)"];
const COUNT_UP = "ON CONFLICT(k) DO UPDATE SET v = v + 1 RETURNING v";

/** A statement with RETURNING, and what somebody else writes between its trial and the commit. */
interface Case {
  readonly about: string;
  readonly schema: readonly string[];
  readonly statement: string;
  readonly foreign: string;
}

/** Two of the rows that a trigger on them may leave alone. */
function ignoring(event: string, row: string): string[] {
  return [
    T,
    "INSERT INTO t VALUES(1, 1, 'a'), (2, 2, 'b')",
    ...OTHER,
    `CREATE TRIGGER tr BEFORE ${event} ON t WHEN ${row}.id IN (SELECT x FROM a)
      BEGIN SELECT RAISE(IGNORE); END`,
  ];
}

/** A counter whose key the server does not answer as it is stored. */
function counterBy(type: string, key: string): Omit<Case, "about"> {
  return {
    schema: [
      `CREATE TABLE t(k ${type} PRIMARY KEY NOT NULL, v INTEGER)`,
      `INSERT INTO t VALUES(${key}, 1)`,
    ],
    statement: `INSERT INTO t VALUES(${key}, 1) ${COUNT_UP}`,
    foreign: "UPDATE t SET v = 10",
  };
}

const CASES: readonly Case[] = [
  { about: "an upsert by a DATE", ...counterBy("DATE", "'2020-01-01'") },
  { about: "an upsert by a TIMESTAMP", ...counterBy("TIMESTAMP", "'2020-01-01 10:00:00'") },
  { about: "an upsert by a DATETIME of seconds", ...counterBy("DATETIME", "1577836800") },
  { about: "an upsert by a BOOLEAN that is 5", ...counterBy("BOOLEAN", "5") },
  { about: "an upsert by a blob in a column without type", ...counterBy("", "x'01ff'") },
  { about: "an upsert by a blob in a TEXT column", ...counterBy("TEXT", "x'01ff'") },
  {
    about: "an INSERT of a given and a new id",
    schema: [T],
    statement: "INSERT INTO t(id, v) VALUES(NULL, 1), (100, 2) RETURNING id, v",
    foreign: "INSERT INTO t(v) VALUES(9)",
  },
  {
    about: "an INSERT with a column generated from its id",
    schema: ["CREATE TABLE t(id INTEGER PRIMARY KEY, v, label TEXT AS ('N' || id))"],
    statement: "INSERT INTO t(v) VALUES(1) RETURNING label",
    foreign: "INSERT INTO t(v) VALUES(9)",
  },
  {
    about: "an INSERT that answers last_insert_rowid()",
    schema: [T],
    statement: "INSERT INTO t(v) VALUES(1) RETURNING last_insert_rowid()",
    foreign: "INSERT INTO t(v) VALUES(9)",
  },
  {
    about: "an INSERT of `x IN table`",
    schema: [T, ...OTHER],
    statement: "INSERT INTO t(id, v) VALUES(1, 1 IN a) RETURNING v",
    foreign: "DELETE FROM a",
  },
  {
    about: "an INSERT that answers `x IN table`",
    schema: [T, ...OTHER],
    statement: "INSERT INTO t(id, v) VALUES(1, 2) RETURNING id IN a AS known",
    foreign: "DELETE FROM a",
  },
  {
    about: "an UPDATE to `x IN table`",
    schema: [T, ...OTHER, "INSERT INTO t VALUES(1, 5, 'x')"],
    statement: "UPDATE t SET v = (1 IN a) WHERE id = 1 RETURNING v",
    foreign: "DELETE FROM a",
  },
  {
    about: "a DELETE that answers `x IN table`",
    schema: [T, ...OTHER, "INSERT INTO t VALUES(1, 5, 'x')"],
    statement: "DELETE FROM t WHERE id = 1 RETURNING id IN a AS known",
    foreign: "DELETE FROM a",
  },
  {
    about: "an UPDATE of a column that is UNIQUE ON CONFLICT IGNORE",
    schema: [
      "CREATE TABLE t(id INTEGER PRIMARY KEY, u TEXT UNIQUE ON CONFLICT IGNORE)",
      "INSERT INTO t VALUES(1, 'a'), (2, 'b'), (3, 'e2')",
    ],
    statement: "UPDATE t SET u = 'e' || id WHERE id IN (1, 2) RETURNING id",
    foreign: "UPDATE t SET u = 'e1' WHERE id = 3",
  },
  {
    about: "an UPDATE of rows of which a trigger ignores some",
    schema: ignoring("UPDATE", "new"),
    statement: "UPDATE t SET v = v + 1 RETURNING id",
    foreign: "UPDATE a SET x = 2",
  },
  {
    about: "a DELETE of rows of which a trigger ignores some",
    schema: ignoring("DELETE", "old"),
    statement: "DELETE FROM t RETURNING id",
    foreign: "UPDATE a SET x = 2",
  },
  {
    about: "an INSERT of text keys of which a trigger ignores some",
    schema: [
      "CREATE TABLE t(k TEXT PRIMARY KEY)",
      "CREATE TABLE a(x)",
      "INSERT INTO a VALUES('p')",
      `CREATE TRIGGER tr BEFORE INSERT ON t WHEN new.k IN (SELECT x FROM a)
        BEGIN SELECT RAISE(IGNORE); END`,
    ],
    statement: "INSERT INTO t VALUES('p'), ('q') RETURNING k",
    foreign: "UPDATE a SET x = 'q'",
  },
  {
    about: "an INSERT of `x IN view`",
    schema: [T, "CREATE VIEW one AS SELECT max(v) AS m FROM t", "INSERT INTO t VALUES(1, 1, 'a')"],
    statement: "INSERT INTO t(id, v) VALUES(2, 5 IN one) RETURNING v",
    foreign: "UPDATE t SET v = 5",
  },
  {
    about: "a DELETE of rows of which a trigger takes others",
    schema: [
      T,
      "INSERT INTO t VALUES(1, 1, 'a'), (2, 2, 'b'), (3, 3, 'c')",
      "CREATE TABLE a(x)",
      "INSERT INTO a VALUES(2)",
      `CREATE TRIGGER tr BEFORE DELETE ON t WHEN old.id = 1
        BEGIN DELETE FROM t WHERE id IN (SELECT x FROM a); END`,
    ],
    statement: "DELETE FROM t RETURNING id",
    foreign: "UPDATE a SET x = 3",
  },
  {
    about: "an UPDATE whose trigger fills a row from another table",
    schema: [
      T,
      "INSERT INTO t VALUES(1, 1, 'a')",
      ...OTHER,
      `CREATE TRIGGER tr BEFORE UPDATE OF v ON t
        BEGIN UPDATE t SET u = (SELECT x FROM a) WHERE id = new.id; END`,
    ],
    statement: "UPDATE t SET v = 2 RETURNING u",
    foreign: "UPDATE a SET x = 2",
  },
  {
    about: "an upsert that leaves out rows by another table",
    schema: [T, ...OTHER, "INSERT INTO t VALUES(1, 1, 'k'), (2, 0, 'k')"],
    statement: `INSERT INTO t VALUES(1, 1, 'k'), (2, 1, 'k') ON CONFLICT(id)
      DO UPDATE SET v = excluded.v WHERE t.id IN (SELECT x FROM a) RETURNING id, v`,
    foreign: "UPDATE a SET x = 2",
  },
  {
    about: "an upsert of a table whose name differs from another's in the case of an umlaut",
    schema: [
      'CREATE TABLE "Ä"(id INTEGER PRIMARY KEY, v)',
      'CREATE TABLE "ä"(k TEXT PRIMARY KEY, v)',
      `INSERT INTO "Ä" VALUES(1, 1)`,
    ],
    statement: `INSERT INTO "Ä" VALUES(1, 1) ON CONFLICT(id) DO UPDATE SET v = v + 1 RETURNING v`,
    foreign: `UPDATE "Ä" SET v = 10`,
  },
];

/** What SQLite answers where nothing comes between. */
async function answerAlone(statements: readonly string[], last: string): Promise<unknown> {
  const engine = embedded(":memory:", { foreignKeys: true });
  try {
    const client = connect("http://alone:4001", { fetch: engine.fetch });
    for (const statement of statements) await client.execute(statement);
    return rowsOf(await client.execute(last));
  } finally {
    engine.close();
  }
}

function rowsOf({ rows }: { readonly rows: readonly unknown[] }): unknown[] {
  return rows.map((row) => JSON.stringify(row)).sort();
}

/** Whether it was committed; a conflict is an answer, too. */
async function committed(tx: Transaction): Promise<boolean> {
  try {
    await tx.commit();
    return true;
  } catch (error) {
    if (!(error instanceof TransactionConflictError)) throw error;
    return false;
  }
}

/** What a transaction reads back behind a schema change of its own is what it stores, or it is refused with advice. */
async function readsBack(db: Client, change: readonly string[], read: string): Promise<void> {
  let told: unknown;
  const refusal = await db.transaction(async (tx) => {
    for (const statement of change) await tx.execute(statement);
    told = (await tx.query(read)).rows;
    await sleep(20);
  }, { retries: 1 }).catch((error: unknown) => error);
  if (refusal instanceof NotSupportedError) return;
  assert.equal(refusal, undefined);
  assert.deepEqual((await db.query(read)).rows, told);
}

const CLOCK = "strftime('%Y-%m-%d %H:%M:%f', 'now')";
const NOTES = `CREATE TABLE n(id INTEGER PRIMARY KEY, body TEXT, at TEXT DEFAULT (${CLOCK}))`;

for (const place of PLACES) {
  describe(`a reviewed transaction on ${place.name}`, { skip: place.skip }, () => {
    const test = (name: string, body: (world: World) => Promise<void>): void =>
      void it(name, () => place.run(body));

    for (const { about, schema, statement, foreign } of CASES) {
      test(`execute() of ${about} tells what is stored, or the commit conflicts`, async (world) => {
        for (const one of schema) await world.sql(one);
        const tx = await world.db.begin();
        const told = rowsOf(await tx.execute(statement));
        await world.sql(foreign);
        if (await committed(tx)) {
          assert.deepEqual(told, await answerAlone([...schema, foreign], statement));
        }
      });
    }

    test("execute() of a value by last_insert_rowid() stores the id that it told", async (world) => {
      await world.sql(T);
      await world.sql("CREATE TABLE c(parent INTEGER)");
      const tx = await world.db.begin();
      await tx.execute("INSERT INTO t(v) VALUES(1)");
      const { rows: [told] } = await tx.execute(
        "INSERT INTO c VALUES(last_insert_rowid()) RETURNING parent",
      );
      await world.sql("INSERT INTO t(v) VALUES(9)");
      if (await committed(tx)) {
        assert.equal(await world.value("SELECT parent FROM c"), told!.parent);
      }
    });

    for (const counter of ["last_insert_rowid()", "changes()"]) {
      test(`execute() of ${counter} in front of any write stores what it told, or is refused`, async (world) => {
        await world.sql(T);
        await world.sql("CREATE TABLE c(n INTEGER)");
        await world.sql("INSERT INTO t(id) VALUES(5), (6), (7)");
        const insert = `INSERT INTO c VALUES(${counter}) RETURNING n`;
        const told = await world.db.transaction((tx) => tx.execute(insert))
          .catch((error: unknown) => error);
        if (told instanceof NotSupportedError) return;
        if (told instanceof Error) throw told;
        assert.deepEqual((told as Result).rows, (await world.other.query("SELECT n FROM c")).rows);
      });
    }

    test("execute() of an UPDATE by last_insert_rowid() answers its RETURNING", async ({ db, sql }) => {
      await sql(T);
      await db.transaction(async (tx) => {
        await tx.execute("INSERT INTO t(v) VALUES(1)");
        const update = "UPDATE t SET u = 'x' WHERE id = last_insert_rowid() RETURNING u";
        assert.deepEqual(rowsOf(await tx.execute(update)), ['{"u":"x"}']);
      });
    });

    test("lastInsertId that is looked at while the commit is under way is the stored one", async (world) => {
      await world.sql(T);
      const tx = await world.db.begin();
      const result = await tx.execute("INSERT INTO t(v) VALUES(1)");
      await world.sql("INSERT INTO t(v) VALUES(9)");
      world.network.plan = () => void result.lastInsertId;
      if (await committed(tx)) {
        assert.equal(await world.value("SELECT id FROM t WHERE v = 1"), result.lastInsertId);
      }
    });

    test("execute() of an upsert by a large id answers columns that fit a number", async (world) => {
      await world.sql("CREATE TABLE t(k INTEGER PRIMARY KEY, v INTEGER)");
      await world.db.transaction(async (tx) => {
        const sql = `INSERT INTO t VALUES(9007199254740993, 1) ${COUNT_UP}`;
        assert.deepEqual(rowsOf(await tx.execute(sql)), ['{"v":1}']);
      });
    });

    test("execute() of an upsert of a table of 600 columns is judged", async (world) => {
      const columns = Array.from({ length: 600 }, (_, i) => `c${i}`).join();
      await world.sql(`CREATE TABLE t(k TEXT PRIMARY KEY, v, ${columns})`);
      await world.db.transaction(async (tx) => {
        const sql = `INSERT INTO t(k, v) VALUES('a', 1) ${COUNT_UP}`;
        assert.deepEqual(rowsOf(await tx.execute(sql)), ['{"v":1}']);
      });
    });

    test("batch() of ten upserts takes no more requests than one", async ({ db, network, sql }) => {
      await sql("CREATE TABLE t(k INTEGER PRIMARY KEY, v INTEGER)");
      const upserts = (count: number) => async (tx: Transaction) => {
        await tx.batch(Array.from({ length: count }, (_, i) => ({
          sql: `INSERT INTO t VALUES(?, 1) ${COUNT_UP}`,
          params: [i],
        })));
      };
      const requestsOf = async (count: number) => {
        const before = network.requests.length;
        await db.transaction(upserts(count));
        return network.requests.length - before;
      };
      await requestsOf(1);
      assert.equal(await requestsOf(10), await requestsOf(1));
    });

    test("transaction() keeps what a fulfilled nested one wrote while another rejected", async (world) => {
      await world.sql(T);
      let kept = false;
      const nested = async (tx: Transaction) => {
        const [, second] = await Promise.allSettled([
          tx.transaction(async (inner) => {
            await inner.execute("INSERT INTO t(id) VALUES(1)");
            await sleep(50);
            throw new Error("no");
          }),
          tx.transaction((inner) => inner.execute("INSERT INTO t(id) VALUES(2)")),
        ]);
        kept = second.status === "fulfilled";
      };
      const done = await world.db.transaction(nested).then(() => true, () => false);
      assert.equal(
        await world.value("SELECT count(*) FROM t WHERE id = 2"),
        done && kept ? 1 : 0,
      );
      assert.equal(await world.value("SELECT count(*) FROM t WHERE id = 1"), 0);
    });

    test("execute() that is fulfilled while a nested transaction rejects is kept, or the commit fails", async (world) => {
      await world.sql(T);
      let told = false;
      const done = await world.db.transaction(async (tx) => {
        const nested = tx.transaction(async (inner) => {
          await inner.execute("INSERT INTO t(id) VALUES(1)");
          await sleep(50);
          throw new Error("no");
        }).catch(() => {});
        await sleep(10);
        told = await tx.execute("INSERT INTO t(id) VALUES(2)").then(() => true, () => false);
        await nested;
      }).then(() => true, () => false);
      assert.equal(
        await world.value("SELECT count(*) FROM t WHERE id = 2"),
        done && told ? 1 : 0,
      );
    });

    test("query() behind CREATE TABLE with a clock default reads what is stored", ({ db }) =>
      readsBack(db, [NOTES, "INSERT INTO n(body) VALUES('x')"], "SELECT * FROM n"));

    test("query() behind a table that was made anew with a clock default reads what is stored", async ({ db, sql }) => {
      await sql("CREATE TABLE n(id INTEGER PRIMARY KEY, body TEXT, at TEXT)");
      const change = ["DROP TABLE n", NOTES, "INSERT INTO n(body) VALUES('x')"];
      await readsBack(db, change, "SELECT * FROM n");
    });

    test("commit() behind CREATE TRIGGER with a clock does not conflict with itself", async ({ db, sql }) => {
      await sql("CREATE TABLE n(id INTEGER PRIMARY KEY, body TEXT, at TEXT)");
      await sql("INSERT INTO n VALUES(1, 'a', 'b')");
      const done = await db.transaction(async (tx) => {
        await tx.execute(
          `CREATE TRIGGER tr AFTER UPDATE OF body ON n BEGIN UPDATE n SET at = ${CLOCK}; END`,
        );
        await tx.execute("UPDATE n SET body = 'z'");
        await tx.query("SELECT * FROM n");
        await sleep(20);
      }, { retries: 1 }).catch((error: unknown) => error);
      if (!(done instanceof NotSupportedError)) assert.equal(done, undefined);
    });

    test("execute() into a table that another client made anew tells what is stored", async (world) => {
      await world.sql(T);
      await world.sql("CREATE TABLE n(id INTEGER PRIMARY KEY, body TEXT, at TEXT)");
      const tx = await world.db.begin();
      await tx.query("SELECT * FROM t");
      await world.sql("DROP TABLE n");
      await world.sql(NOTES);
      const told = await tx.execute("INSERT INTO n(body) VALUES('x') RETURNING at")
        .catch((error: unknown) => error);
      if (told instanceof TransactionConflictError) return;
      if (told instanceof Error) throw told;
      await sleep(20);
      if (!await committed(tx)) return;
      assert.deepEqual((told as Result).rows, (await world.other.query("SELECT at FROM n")).rows);
    });

    test("execute() into a table that another program made anew in as many characters tells what is stored", async (world) => {
      const made = "CREATE TABLE t(id INTEGER PRIMARY KEY, v INTEGER DEFAULT 1)";
      await world.sql(made);
      const foreign = world.connect({ exactlyOnce: false });
      const tx = await world.db.begin();
      const { rows } = await tx.execute("INSERT INTO t(id) VALUES(1) RETURNING v");
      await foreign.batch(["DROP TABLE t", made.replace("DEFAULT 1", "DEFAULT 7")]);
      if (await committed(tx)) {
        assert.deepEqual((await world.other.query("SELECT v FROM t")).rows, rows);
      }
    });

    test("commit() of unrelated INSERTs that answer a product does not conflict", async ({ db, sql }) => {
      await sql(T);
      await Promise.all(
        Array.from(
          { length: 10 },
          () =>
            db.transaction((tx) => tx.execute("INSERT INTO t(v) VALUES(2) RETURNING v * 2 AS w"), {
              retries: 0,
            }),
        ),
      );
    });

    test("execute() with RETURNING inserts into an FTS5 table", async ({ db, sql }) => {
      await sql("CREATE VIRTUAL TABLE f USING fts5(body)");
      await db.transaction((tx) => tx.execute("INSERT INTO f(body) VALUES('x') RETURNING rowid"));
    });

    for (const [name, insert] of Object.entries(FTS_INSERTS)) {
      test(`${name} with RETURNING of another form inserts into an FTS5 table`, async (world) => {
        await world.sql("CREATE VIRTUAL TABLE f USING fts5(body)");
        const { rows } = await insert(world.db);
        assert.deepEqual(rows, [{ body: "x" }]);
        assert.equal(await world.value("SELECT count(*) FROM f WHERE f MATCH 'x'"), 1);
      });
    }
  });
}

/** Not understood by the servers' own parser, so that something in front has to make them answer the rows. */
const FTS_INSERT =
  "WITH new(body) AS (VALUES('x')) INSERT INTO f(body) SELECT body FROM new RETURNING body";

/** Ways to send it. */
const FTS_INSERTS: Record<string, (db: Client) => Promise<Result>> = {
  "execute()": (db) => db.execute(FTS_INSERT),
  "execute() under an id": (db) => db.execute(FTS_INSERT, [], { id: "fts-1" }),
  "execute() that is not exactly-once": (db) => db.execute(FTS_INSERT, [], { exactlyOnce: false }),
  "batch()": async (db) => (await db.batch([FTS_INSERT, "DELETE FROM f WHERE body = 'y'"]))[0]!,
  "batch() with a read": async (db) => (await db.batch([FTS_INSERT, "SELECT 1"]))[0]!,
  "transaction()": (db) => db.transaction((tx) => tx.execute(FTS_INSERT)),
};

/** Transactions that also write where no node differs. */
// The first one makes `stale` another one on each node, which no guard of the second one may meet.
const EACH = `INSERT INTO s(id, stale) VALUES${
  Array.from({ length: 40 }, (_, i) => `(${i + 1}, 1)`)
}`;

const LOCAL_WRITES = [
  "UPDATE s SET stale = 1 WHERE r > 0 RETURNING id",
  "UPDATE s SET stale = 1 WHERE r > 0",
  "DELETE FROM s WHERE r > 0 AND id < 5",
  "INSERT INTO copies SELECT id FROM s WHERE r > 0",
  "INSERT INTO log(what) VALUES('x') RETURNING id",
  `${EACH} ON CONFLICT(id) DO UPDATE SET stale = 2 WHERE r > 0`,
  `${EACH} ON CONFLICT(id) DO UPDATE SET stale = 3 WHERE s.r < excluded.stale RETURNING id`,
  `${EACH} ON CONFLICT(id) DO UPDATE SET stale = 4 WHERE (SELECT o.r FROM s o WHERE o.id = s.id) > 0`,
  "UPDATE OR IGNORE marks_a SET mark = (SELECT r & 7 FROM s WHERE s.id = marks_a.id)",
  "UPDATE OR IGNORE marks_b SET mark = r & 7 FROM s WHERE s.id = marks_b.id",
  "INSERT OR IGNORE INTO marks_c(mark) SELECT r & 7 FROM s",
  "INSERT OR IGNORE INTO marks_d(mark) VALUES((SELECT r & 3 FROM s WHERE id = 6)), " +
  "((SELECT r & 3 FROM s WHERE id = 7)), ((SELECT r & 3 FROM s WHERE id = 8))",
  "INSERT INTO marks_e(mark) SELECT r & 7 FROM s WHERE true ON CONFLICT DO NOTHING",
  "INSERT INTO marks_f(id, mark) SELECT id, r & 7 FROM s WHERE true " +
  "ON CONFLICT(id) DO UPDATE SET seen = 1 WHERE excluded.mark > 3",
  "UPDATE OR IGNORE own SET mark = r & 7",
  "UPDATE told_a SET n = r & 3 WHERE n IN (SELECT id FROM s) RETURNING r",
  "UPDATE told_b SET n = (SELECT r & 7 FROM s WHERE s.id = told_b.id) WHERE n IN (SELECT id FROM s) RETURNING id",
  "UPDATE told_c SET n = o.r & 7 FROM told_f o WHERE o.id = told_c.id RETURNING told_c.id",
  "INSERT INTO told_d(n, r) SELECT r & 7, 0 FROM s RETURNING id",
  "INSERT INTO told_e(id, n) VALUES(1, 0) ON CONFLICT(id) DO UPDATE SET n = told_e.r RETURNING id, n",
  "INSERT INTO lottery VALUES(1),(2),(3),(4),(5),(6),(7),(8)",
  "UPDATE lottery SET id = -id",
  "DELETE FROM lottery",
  ...["nullable", "partial", "expression"].map((table) =>
    `INSERT OR IGNORE INTO ${table}(token) VALUES(${
      Array.from({ length: 500 }, (_, i) => i).join("),(")
    })`
  ),
];

/** A table with a unique index over a column of which each node has its own values. */
const ofTokens = (name: string, index: string): string[] => [
  `CREATE TABLE ${name}(id INTEGER PRIMARY KEY, token INTEGER DEFAULT (abs(random() % 1000)))`,
  `CREATE UNIQUE INDEX ${name}_index ON ${name}${index}`,
  ...Array.from({ length: 40 }, (_, i) => `INSERT OR IGNORE INTO ${name}(id) VALUES(${i})`),
];

describe(
  "transactions of three nodes with rows of their own",
  { skip: skipWithoutRqlited() },
  () => {
    it("commit() behind writes that nodes do differently stores the other tables everywhere", async () => {
      const cluster = await startCluster();
      try {
        await storeRaw(cluster, [
          "CREATE TABLE s(id INTEGER PRIMARY KEY, r INTEGER DEFAULT (random()), stale INTEGER)",
          "CREATE TABLE log(id INTEGER PRIMARY KEY, what TEXT)",
          `CREATE TRIGGER tr AFTER INSERT ON s WHEN new.r > 0
          BEGIN INSERT INTO log(what) VALUES('auto'); END`,
          "CREATE TABLE copies(id INTEGER)",
          "CREATE TABLE lottery(id INTEGER PRIMARY KEY)",
          `CREATE TRIGGER lost BEFORE INSERT ON lottery WHEN random() > 0
          BEGIN SELECT RAISE(IGNORE); END`,
          ...["a", "b", "c", "d", "e", "f"].flatMap((name) => [
            `CREATE TABLE marks_${name}(id INTEGER PRIMARY KEY, mark INTEGER${
              name === "f" ? "" : " UNIQUE"
            }, seen)`,
            ...name < "c" || name === "f"
              ? Array.from({ length: 40 }, () => `INSERT INTO marks_${name}(mark) VALUES(NULL)`)
              : [],
          ]),
          "CREATE TABLE own(id INTEGER PRIMARY KEY, r INTEGER DEFAULT (random()), mark UNIQUE)",
          ...Array.from({ length: 40 }, () => "INSERT INTO own(mark) VALUES(NULL)"),
          ...[..."abcdef"].flatMap((name) => [
            `CREATE TABLE told_${name}(id INTEGER PRIMARY KEY, n INTEGER, r INTEGER DEFAULT (random() % 99))`,
            ...Array.from({ length: 8 }, (_, i) => `INSERT INTO told_${name}(n) VALUES(${i})`),
          ]),
          "CREATE TABLE shared(what TEXT)",
          ...Array.from({ length: 40 }, () => "INSERT INTO s(stale) VALUES(0)"),
          ...ofTokens("nullable", "(token)"),
          ...ofTokens("partial", "(token) WHERE token >= 0"),
          ...ofTokens("expression", "(abs(token))"),
        ]);
        const db = connect((await cluster.settled()).url);
        for (const write of LOCAL_WRITES) {
          await db.transaction(async (tx) => {
            await tx.execute(write);
            await tx.execute("INSERT INTO shared VALUES(?)", [write]);
          });
        }
        const all = LOCAL_WRITES.toSorted().map((write) => [write]);
        const nodes = await rowsOfEach(cluster, "SELECT what FROM shared ORDER BY what");
        assert.deepEqual(nodes, nodes.map(() => all));
      } finally {
        await cluster.stop();
      }
    });

    it("commit() behind a table that was made anew with a clock default leaves the replicas equal", async () => {
      const cluster = await startCluster();
      try {
        const db = connect((await cluster.settled()).url);
        await db.execute("CREATE TABLE shared(i INTEGER)");
        let done = 0;
        for (let i = 0; i < 30; i++) {
          await db.execute(`CREATE TABLE n${i}(id INTEGER PRIMARY KEY, body TEXT, at TEXT)`);
          const made = NOTES.replace(" n(", ` n${i}(`);
          await db.transaction(async (tx) => {
            await tx.execute("INSERT INTO shared VALUES(?)", [i]);
            await tx.batch([`DROP TABLE n${i}`, made, `INSERT INTO n${i}(body) VALUES('x')`]);
            // What nodes compute at different times is alike often enough to a second.
            await tx.query(`SELECT substr(at, 1, 19) FROM n${i}`);
          }, { retries: 0 }).then(() => done++, () => {});
        }
        const nodes = await rowsOfEach(cluster, "SELECT count(*) FROM shared");
        assert.deepEqual(nodes, nodes.map(() => [[done]]));
        const stored = await rowsOfEach(cluster, "SELECT at FROM n0");
        assert.deepEqual(stored, stored.map(() => stored[0]));
      } finally {
        await cluster.stop();
      }
    });
  },
);
