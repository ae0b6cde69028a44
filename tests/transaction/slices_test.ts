// A statement of a transaction is tried behind the writes that it may depend on, and not behind all of them: the same
// results, errors and database as in SQLite, by a number of statements that grows with the number of writes.
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Client, connect, RqliteError, type Transaction } from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { PLACES } from "./world.ts";

const SCHEMA = [
  "CREATE TABLE i(id INTEGER PRIMARY KEY, v)",
  "CREATE TABLE a(id INTEGER PRIMARY KEY AUTOINCREMENT, v INTEGER)",
  "CREATE TABLE k(k TEXT COLLATE NOCASE PRIMARY KEY, v)",
  "CREATE TABLE w(x INT, y, v, PRIMARY KEY(x, y)) WITHOUT ROWID",
  "CREATE TABLE l(v)",
  "CREATE TABLE u(id INTEGER PRIMARY KEY, e UNIQUE, f TEXT COLLATE NOCASE)",
  "CREATE UNIQUE INDEX uf ON u(f, e) WHERE e > 1",
  "CREATE TABLE p(id INTEGER PRIMARY KEY, v)",
  "CREATE TABLE c(id INTEGER PRIMARY KEY, p REFERENCES p(id) ON DELETE CASCADE)",
  "CREATE TABLE d(id INTEGER PRIMARY KEY, p REFERENCES p(id))",
  "CREATE TABLE g(id INTEGER PRIMARY KEY, v)",
  "CREATE TRIGGER g_update AFTER UPDATE ON g BEGIN UPDATE g SET v = v || 'g' WHERE id = old.id + 1; END",
  "CREATE VIEW both AS SELECT i.id, i.v, k.v AS kv FROM i JOIN k ON k.k = i.id",
  "INSERT INTO i VALUES(1, 'one'), (2, 2), (3, NULL)",
  "INSERT INTO a(v) VALUES(1), (2)",
  "INSERT INTO k VALUES('a', 1), ('2', 2)",
  "INSERT INTO w VALUES(1, 1, 1), (1, 'A', 2)",
  "INSERT INTO u(id, e, f) VALUES(1, 1, 'a'), (2, 2, NULL)",
  "INSERT INTO p VALUES(1, 1), (2, 2)",
  "INSERT INTO c VALUES(1, 1), (2, 2)",
  "INSERT INTO g VALUES(1, 1), (2, 2), (3, 3)",
];

/** By what they are about; each takes `?1` and `?2`, two small numbers. */
const TOPICS: readonly (readonly string[])[] = [
  [
    "INSERT INTO i(v) VALUES(?1 + ?2)",
    "INSERT INTO i VALUES(NULL, ?1)",
    "INSERT INTO i DEFAULT VALUES",
    "DELETE FROM i WHERE id = ?1",
    "DELETE FROM i WHERE id = (SELECT max(id) FROM i)",
    "SELECT * FROM i WHERE id = ?1",
  ],
  [
    "INSERT INTO i(v, id) VALUES(?1, ?2)",
    "INSERT INTO i(v) VALUES(?1), (?2)",
    "INSERT INTO i(rowid, v) VALUES(NULL, ?1) RETURNING id, v",
    "UPDATE i SET v = coalesce(v, 0) || ?1 WHERE id = ?2",
    "UPDATE i SET v = ?1 WHERE rowid = ?2 AND v IS NOT NULL RETURNING *",
    "UPDATE i SET id = ?1 WHERE id = ?2",
    "UPDATE i SET v = v + 1 WHERE id > ?1",
    "DELETE FROM i WHERE id = ?1",
    "SELECT * FROM i WHERE id = ?1",
    "SELECT max(id) AS m, count(*) AS n FROM i WHERE id <> ?1",
    "SELECT v FROM i AS j WHERE ?1 = j.id ORDER BY v LIMIT 1",
    "SELECT * FROM i WHERE id = ?1 OR id = ?2 ORDER BY id",
  ],
  [
    "INSERT INTO a(v) VALUES(?1)",
    "DELETE FROM a WHERE id = ?1",
    "DELETE FROM a WHERE v = ?1",
    "SELECT * FROM a WHERE id = ?1",
  ],
  [
    "INSERT INTO k VALUES('A' || ?1, ?2)",
    "INSERT INTO k VALUES('b', ?1)",
    "INSERT INTO k(v, k) VALUES(?1, ?2)",
    "UPDATE k SET v = ?1 WHERE k = 'B'",
    "DELETE FROM k WHERE k = ?1",
    "SELECT rowid AS r, * FROM k WHERE k = 'B'",
    "SELECT * FROM k WHERE k = ?1",
    "SELECT * FROM both WHERE id = ?1",
  ],
  [
    "INSERT INTO w VALUES(?1, ?2, 'w')",
    "UPDATE w SET v = v || ?1 WHERE x = ?1 AND y = ?2",
    "UPDATE w SET y = 'a' WHERE x = ?1 AND y = ?2",
    "SELECT * FROM w WHERE (y = ?2) AND x IN (?1)",
    "SELECT * FROM w WHERE x = ?1 ORDER BY y",
  ],
  [
    "INSERT INTO l VALUES(?1)",
    "DELETE FROM l WHERE rowid = ?1",
    "SELECT v FROM l ORDER BY v",
    "SELECT v FROM l WHERE _rowid_ = ?1",
    "INSERT INTO l SELECT v FROM i WHERE id = ?1",
    "INSERT INTO l VALUES((SELECT count(*) FROM k) + ?1)",
  ],
  [
    "INSERT INTO u(e) VALUES(?1)",
    "UPDATE u SET e = ?1 WHERE id = ?2",
    "INSERT INTO u(e, f) VALUES(?1, 'A')",
    "INSERT INTO u(f, id) VALUES('a', ?1)",
    "UPDATE u SET f = 'B' WHERE id = ?1",
    "UPDATE u SET e = e + 1 WHERE id = ?1",
    "DELETE FROM u WHERE id = ?1",
    "SELECT * FROM u WHERE id = ?1",
    "SELECT * FROM u WHERE e = ?1",
    "SELECT id, e FROM u WHERE f = 'A' AND e = ?1 ORDER BY id",
    "SELECT count(*) AS n FROM u WHERE f = 'b'",
  ],
  [
    "INSERT INTO u(e) VALUES(?1)",
    "SELECT * FROM u WHERE id = ?1",
    "INSERT INTO u(id, e) VALUES(?1, ?2) ON CONFLICT(e) DO UPDATE SET e = e + 10",
    "INSERT OR REPLACE INTO u(id, e) VALUES(?1, ?2)",
  ],
  [
    "INSERT INTO p VALUES(?1, ?2)",
    "DELETE FROM p WHERE id = ?1",
    "INSERT INTO c(p) VALUES(?1)",
    "INSERT INTO d(p) VALUES(?1)",
    "DELETE FROM d WHERE id = ?1",
    "UPDATE c SET p = ?1 WHERE id = ?2",
    "SELECT * FROM c WHERE id = ?1",
    "SELECT id FROM c WHERE p = ?1",
    "SELECT * FROM c ORDER BY id",
  ],
  [
    "INSERT INTO g(v) VALUES(?1)",
    "UPDATE g SET v = ?1 WHERE id = ?2",
    "SELECT * FROM g WHERE id = ?1",
  ],
];

interface Call {
  readonly sql: string;
  readonly a: number;
  readonly b: number;
  /** It is not waited for before the next one is issued. */
  readonly together: boolean;
}

function callsOf(statements: readonly string[]): fc.Arbitrary<Call[]> {
  const call = fc.record({
    sql: fc.constantFrom(...statements),
    a: fc.nat(5),
    b: fc.nat(5),
    together: fc.nat(3).map((n) => n === 0),
  });
  return fc.array(call, { maxLength: 14, size: "max" });
}

/** Programs that chance seldom makes. */
const EXAMPLES: readonly (readonly [sql: string, a: number, together?: boolean][])[] = [
  // The last insert gets the number that the statement in front of it, in the same request, sets free.
  [
    ["INSERT INTO i DEFAULT VALUES", 0],
    ["INSERT INTO i DEFAULT VALUES", 0],
    ["DELETE FROM i WHERE id = ?1", 5, true],
    ["INSERT INTO i DEFAULT VALUES", 0],
  ],
  // What is gone is no parent any more.
  [["DELETE FROM p WHERE id = ?1", 1], ["INSERT INTO d(p) VALUES(?1)", 1]],
  // What has a child stays.
  [["INSERT INTO d(p) VALUES(?1)", 1], ["DELETE FROM p WHERE id = ?1", 1]],
];

const examples = EXAMPLES.map((calls): [Call[]] => [
  calls.map(([sql, a, together = false]) => ({ sql, a, b: 0, together })),
]);

/** Most are about one topic, so that its statements meet each other. */
const programs = fc.oneof(...[...TOPICS, TOPICS.flat()].map(callsOf));

function valuesOf({ sql, a, b }: Call): number[] {
  return sql.includes("?2") ? [a, b] : sql.includes("?1") ? [a] : [];
}

const answersRows = (sql: string): boolean => /^SELECT|RETURNING/.test(sql);

/** Only a plain INSERT that stored something into a table with rowids is sure to have an id. */
const hasId = (sql: string): boolean => /^INSERT INTO [^w]/.test(sql) && !/SELECT|ON C/.test(sql);

function inSqlite(db: DatabaseSync, calls: readonly Call[]): unknown[] {
  db.exec("BEGIN");
  const seen = calls.map((one) => {
    const { sql } = one;
    try {
      const statement = db.prepare(sql);
      const bound = valuesOf(one).map(BigInt);
      if (answersRows(sql)) return statement.all(...bound).map((row) => ({ ...row }));
      const { changes, lastInsertRowid } = statement.run(...bound);
      return [changes, hasId(sql) ? lastInsertRowid : undefined];
    } catch (error) {
      return (error as Error).message;
    }
  });
  db.exec("COMMIT");
  return seen;
}

async function inTransaction(tx: Transaction, calls: readonly Call[]): Promise<unknown[]> {
  const seen: Promise<unknown>[] = [];
  for (const one of calls) {
    const [sql, values] = [one.sql, valuesOf(one)];
    const done = (sql.startsWith("SELECT") ? tx.query(sql, values) : tx.execute(sql, values)).then(
      ({ rows, rowsAffected, lastInsertId }) =>
        answersRows(sql) ? rows : [rowsAffected, hasId(sql) ? lastInsertId : undefined],
      (error: unknown) => {
        assert.ok(error instanceof RqliteError, String(error));
        return error.message;
      },
    );
    seen.push(done);
    if (!one.together) await done;
  }
  return await Promise.all(seen);
}

const TABLES = ["i", "a", "k", "w", "l", "u", "p", "c", "d", "g"];

async function compare(db: Client, calls: readonly Call[]): Promise<void> {
  const plain = new DatabaseSync(":memory:");
  for (const sql of SCHEMA) plain.exec(sql);
  await db.batch(
    ["d", "c", "p", ...TABLES, "both"].map((name) =>
      `DROP ${name === "both" ? "VIEW" : "TABLE"} IF EXISTS ${name}`
    ),
  );
  await db.batch(SCHEMA);
  const tx = await db.begin();
  const seen = await inTransaction(tx, calls);
  await tx.commit();
  assert.deepEqual(seen, inSqlite(plain, calls));
  for (const table of TABLES) {
    const sql = `SELECT * FROM ${table}`;
    const { rows } = await db.query(sql);
    assert.deepEqual(rows, plain.prepare(sql).all().map((row) => ({ ...row })), table);
  }
  plain.close();
}

describe("a transaction whose statements are not tried behind all writes does what SQLite does", () => {
  for (const { name, skip, run } of PLACES) {
    it(`on ${name}`, { skip }, () =>
      run(async ({ other }) => {
        const property = fc.asyncProperty(programs, (calls) => compare(other, calls));
        await fc.assert(property, {
          examples,
          numRuns: name === "rqlited" ? 20 : 150,
          seed: 20261130,
        });
      }));
  }
});

describe("what is sent for statements that are tried", () => {
  /** How many statements a transaction sends in its trials, for so many writes. */
  async function sent(count: number, body: (tx: Transaction, i: number) => Promise<unknown>) {
    let statements = 0;
    const db = connect({
      fetch: embedded().fetch,
      onRequest: (request) => void (statements += request.statements),
    });
    await db.batch(SCHEMA);
    await body(await db.begin(), 0);
    const tx = await db.begin();
    statements = 0;
    for (let i = 0; i < count; i++) await body(tx, 100 + i);
    return statements;
  }

  const WAYS: Readonly<Record<string, (tx: Transaction, i: number) => Promise<unknown>>> = {
    "inserts that the table gives a number to": (tx) => tx.execute("INSERT INTO i(v) VALUES(1)"),
    "inserts read back by their number": async (tx) => {
      const { lastInsertId } = await tx.execute("INSERT INTO a(v) VALUES(1)");
      await tx.query("SELECT v FROM a WHERE id = ?", [lastInsertId!]);
    },
    "inserts read back by a key of their own": async (tx, i) => {
      await tx.execute("INSERT INTO k VALUES(?, 1)", [`key ${i}`]);
      await tx.query("SELECT v FROM k WHERE k = ?", [`key ${i}`]);
    },
    "inserts of what is unique": (tx, i) => tx.execute("INSERT INTO u(e) VALUES(?)", [i]),
    "inserts read back by something else": async (tx, i) => {
      await tx.execute("INSERT INTO u(f, e) VALUES(?, ?)", [`f${i}`, i]);
      await tx.query("SELECT id FROM u WHERE f = ?", [`F${i}`]);
    },
    "updates read back by their key": async (tx, i) => {
      await tx.execute("UPDATE w SET v = 2 WHERE x = ? AND y = 1", [i]);
      await tx.query("SELECT v FROM w WHERE x = ? AND y = 1", [i]);
    },
    "writes to one table, reads of another": async (tx) => {
      await tx.execute("INSERT INTO l VALUES(1)");
      await tx.query("SELECT count(*) FROM u");
    },
  };
  for (const [what, body] of Object.entries(WAYS)) {
    it(`grows with the number of ${what}`, async () => {
      const [few, some, many] = [await sent(10, body), await sent(20, body), await sent(30, body)];
      assert.equal(many - some, some - few);
    });
  }

  it("is limited: the statement beyond it is refused, and the transaction can go on", async () => {
    const { fetch } = embedded();
    const long = "x".repeat(30_000_000);
    // The node need not take the time that this would take.
    const shortened: typeof fetch = async (input, init) => {
      const body = await new Response(init?.body ?? null).text();
      return await fetch(input, { ...init, body: body.replaceAll(long, "x") || null });
    };
    const db = connect({ fetch: shortened });
    await db.execute("CREATE TABLE t(v)");
    await db.transaction(async (tx) => {
      await tx.execute("INSERT INTO t VALUES(?)", [long]);
      const read = () => tx.query("SELECT count(*) AS n FROM t");
      for (let i = 0; i < 8; i++) assert.deepEqual((await read()).rows, [{ n: 1 }]);
      await assert.rejects(read, {
        name: "NotSupportedError",
        message: /would send 9 writes again.*mode: "lazy".*together/,
        retryable: false,
      });
    }, { timeout: 120_000 });
    assert.equal(await db.value("SELECT count(*) FROM t"), 1);
  });

  it("is what an error says that time is up, and then it is not retryable", async () => {
    const { fetch } = embedded();
    let stuck = false;
    const never: typeof fetch = (_, init) =>
      new Promise((_, reject) => {
        init!.signal!.addEventListener("abort", () => reject(init!.signal!.reason));
      });
    const db = connect({
      fetch: (...call) => (stuck ? never : fetch)(...call),
      transaction: { timeout: 1_500, timeoutPer: "statement" },
    });
    await db.execute("CREATE TABLE t(v)");
    const tx = await db.begin();
    await Promise.all(Array.from({ length: 1_000 }, () => tx.execute("INSERT INTO t VALUES(1)")));
    for (let i = 0; i < 9; i++) await tx.query("SELECT count(*) FROM t");
    stuck = true;
    await assert.rejects(tx.query("SELECT count(*) FROM t"), {
      name: "TimeoutError",
      message: /10000 writes again.*mode: "lazy"/,
      retryable: false,
    });
    await tx.rollback();
  });
});
