// What insertMany() leaves in the database, over the embedded engine and a server.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type Client,
  connect,
  DatabaseError,
  IntegrityError,
  OutcomeUnknownError,
  type Params,
  ProgrammingError,
} from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { startCluster } from "../support/cluster.ts";
import { DATABASES } from "../support/databases.ts";
import { type Fate, FaultyNetwork } from "../support/faulty_network.ts";
import { equalReplicas, rowsOfEach } from "../support/replicas.ts";
import { skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";

const numbered = <T>(count: number, row: (i: number) => T, from = 0): T[] =>
  Array.from({ length: count }, (_, i) => row(i + from));

for (const { name, skip, open } of DATABASES) {
  describe(`insertMany() on ${name}`, { skip }, () => {
    const inDatabase = (what: string, body: (db: Client) => Promise<void>) =>
      it(what, async () => {
        const { db, close } = await open();
        try {
          await body(db);
        } finally {
          await close();
        }
      });
    const read = async (db: Client, sql: string): Promise<unknown[]> =>
      (await db.query<unknown[]>(sql, [], { rows: "array", integers: "auto" })).rows;

    inDatabase("inserts 100,000 rows, some callers at once, and counts them", async (db) => {
      await db.batch(["CREATE TABLE t(n INTEGER PRIMARY KEY, b TEXT)", "CREATE TABLE u(n, b)"]);
      const progress: number[] = [];
      const big = db.insertMany("t", numbered(100_000, (n) => ({ n, b: `row ${n}` })), {
        onProgress: (rows) => void progress.push(rows),
      });
      const small = numbered(20, async (caller) => {
        const rows = numbered(500, (n) => [n, caller], caller * 500);
        return (await db.insertMany("u", rows)).rowsAffected;
      });
      assert.deepEqual(await Promise.all(small), Array(20).fill(500));
      assert.deepEqual(await big, { rowsAffected: 100_000 });
      assert.deepEqual(progress, numbered(10, (i) => i * 10_000, 1));
      const sums =
        "SELECT (SELECT count(*) FROM t), (SELECT sum(n) FROM t), (SELECT count(*) FROM u), " +
        "(SELECT count(DISTINCT n) FROM u)";
      assert.deepEqual(await read(db, sums), [[100_000, 4_999_950_000, 10_000, 10_000]]);
    });

    inDatabase("stores every value as it is, in rows of one statement", async (db) => {
      await db.execute("CREATE TABLE t(n INTEGER PRIMARY KEY, v)");
      const date = new Date("2026-02-03T04:05:06.789Z");
      const bytes = new Uint8Array([0, 39, 255]);
      const values: [Params[keyof Params] | unknown, string, unknown?][] = [
        [null, "null"],
        [1, "integer"],
        [-0, "real", -0],
        [0.1, "real"],
        [2 ** 53, "integer", 2n ** 53n],
        [1e300, "real"],
        [2n ** 63n - 1n, "integer"],
        [-(2n ** 63n), "integer"],
        [true, "integer", 1],
        ["", "text"],
        ["it's \u{1F600}\n", "text"],
        ["a\0b", "text"],
        ["x'41'", "text"],
        [bytes, "blob"],
        [bytes.buffer, "blob", bytes],
        [new DataView(bytes.buffer, 1), "blob", bytes.slice(1)],
        [new Uint8Array(), "blob"],
        [date, "text", date.toISOString()],
      ];
      const rows = values.map(([v], n) => ({ n, v })) as Params[];
      assert.deepEqual(await db.insertMany("t", rows), { rowsAffected: values.length });
      const wanted = values.map(([given, type, back = given]) => [type, back]);
      assert.deepEqual(await read(db, "SELECT typeof(v), v FROM t ORDER BY n"), wanted);
    });

    inDatabase("inserts into every kind of table, whatever its name", async (db) => {
      await db.script(`
        CREATE TABLE "a table's ""name"" of.dots"("the key" INTEGER PRIMARY KEY AUTOINCREMENT, "select" TEXT);
        CREATE TABLE keyed(a, b, PRIMARY KEY(b, a)) WITHOUT ROWID;
        CREATE TABLE made(a INTEGER, doubled INTEGER AS (2 * a) STORED, b TEXT DEFAULT 'filled') STRICT;
        CREATE TABLE log(line);
        CREATE TRIGGER logs AFTER INSERT ON made BEGIN INSERT INTO log VALUES(new.a), (new.doubled); END;
        CREATE VIEW seen AS SELECT a FROM made;
        CREATE TRIGGER sees INSTEAD OF INSERT ON seen BEGIN INSERT INTO made(a) VALUES(new.a); END;
        CREATE TRIGGER odd BEFORE INSERT ON made WHEN new.a % 2 = 1 BEGIN SELECT RAISE(IGNORE); END;
      `);
      const odd = `a table's "name" of.dots`;
      const named = numbered(250, (i) => ({ select: `s${i}` }));
      assert.deepEqual(await db.insertMany(odd, named), { rowsAffected: 250 });
      const ids = `SELECT count(*), max("the key") FROM "a table's ""name"" of.dots"`;
      assert.deepEqual(await read(db, ids), [[250, 250]]);
      assert.deepEqual(await db.insertMany("keyed", numbered(250, (i) => [i, -i])), {
        rowsAffected: 250,
      });
      // Rows that a trigger leaves out are not counted, those that it inserts neither.
      assert.deepEqual(await db.insertMany("made", numbered(10, (a) => ({ a }))), {
        rowsAffected: 5,
      });
      assert.deepEqual(await read(db, "SELECT a, doubled, b FROM made LIMIT 2"), [
        [0, 0, "filled"],
        [2, 4, "filled"],
      ]);
      await db.insertMany("seen", [[20], [22]]);
      assert.deepEqual(await read(db, "SELECT count(*) FROM log"), [[14]]);
      await assert.rejects(db.insertMany("made", [[1, 2, "x"]]), ProgrammingError);
      await assert.rejects(db.insertMany("made", [{ a: "text" }]), IntegrityError);
      await assert.rejects(db.insertMany("made", [{ a: 0, doubled: 2 }]), ProgrammingError);
      await assert.rejects(db.insertMany("main.made", [[2]]), {
        name: "ProgrammingError",
        message: /^no such table: main\.made/,
        rowsApplied: 0,
      });
    });

    inDatabase("stops at, leaves out or replaces rows that are in the way", async (db) => {
      await db.execute(
        "CREATE TABLE t(n INTEGER PRIMARY KEY, v TEXT NOT NULL, at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP)",
      );
      await db.insertMany("t", numbered(150, (n) => ({ n, v: "old", at: "then" })));
      const rows = numbered(200, (n) => ({ n, v: "new", at: null }), 100);
      await assert.rejects(db.insertMany("t", rows), { constraint: "notnull", rowsApplied: 0 });
      const { rowsAffected } = await db.insertMany(
        "t",
        rows.map(({ n, v }) => [n, v, "now"]),
        { onConflict: "ignore" },
      );
      assert.equal(rowsAffected, 150);
      const old = "SELECT sum(v = 'old'), sum(v = 'new'), count(DISTINCT at) FROM t";
      assert.deepEqual(await read(db, old), [[150, 150, 2]]);
      const replaced = await db.insertMany("t", rows, { onConflict: "replace" });
      assert.equal(replaced.rowsAffected, 200);
      // In the place of a NULL stands the default.
      assert.deepEqual(await read(db, old), [[100, 200, 2]]);
    });

    inDatabase("takes tables of many columns, and rows of many bytes", async (db) => {
      // As many rows a statement as there are parameters for, and one more.
      for (const [columns, count] of [[327, 101], [328, 100], [2000, 17]] as const) {
        const names = numbered(columns, (i) => `c${i}`);
        await db.execute(`CREATE TABLE t${columns}(${names.join(", ")})`);
        const rows = numbered(count, (i) => Array(columns).fill(i));
        assert.deepEqual(await db.insertMany(`t${columns}`, rows), { rowsAffected: count });
        const sum = (count * (count - 1)) / 2;
        const sums = `SELECT sum(c0), sum(c${columns - 1}) FROM t${columns}`;
        assert.deepEqual(await read(db, sums), [[sum, sum]]);
      }
      await db.execute("CREATE TABLE big(b)");
      const big = numbered(2, () => [new Uint8Array(2_100_000).fill(7)]);
      assert.deepEqual(await db.insertMany("big", big), { rowsAffected: 2 });
      assert.deepEqual(await read(db, "SELECT sum(length(b)) FROM big"), [[4_200_000]]);
    });

    inDatabase(
      "says which rows are in where one fails, so that the others can follow",
      async (db) => {
        await db.execute("CREATE TABLE t(n INTEGER PRIMARY KEY, v CHECK(v <> 'bad'))");
        const rows = numbered(25_000, (n) => ({ n, v: n === 23_456 ? "bad" : "good" }));
        const error = await db.insertMany("t", rows).catch((error: unknown) => error);
        assert.ok(error instanceof IntegrityError, String(error));
        assert.match(error.message, /\(in one of the rows 23400 to 23499\)$/);
        assert.deepEqual([error.constraint, error.rowsApplied], ["check", 20_000]);
        assert.deepEqual(await read(db, "SELECT count(*), max(n) FROM t"), [[20_000, 19_999]]);
        rows[23_456]!.v = "good";
        await db.insertMany("t", rows.slice(error.rowsApplied));
        assert.deepEqual(await read(db, "SELECT count(*), max(n) FROM t"), [[25_000, 24_999]]);
        const one = await db.insertMany("t", [{ n: 1, v: "" }]).catch((error: unknown) => error);
        assert.ok(one instanceof DatabaseError && one.statementIndex === 0, String(one));
      },
    );
  });
}

describe("insertMany() over a network that loses answers and repeats requests", () => {
  const inNetworks = (
    what: string,
    body: (db: Client, network: FaultyNetwork, other: Client) => Promise<void>,
  ) => {
    const run = async (url: string, node: typeof fetch) => {
      const network = new FaultyNetwork(node);
      const db = connect(url, { fetch: network.fetch as typeof fetch, retries: 0 });
      const other = connect(url, { fetch: node });
      await other.execute("CREATE TABLE t(n INTEGER)");
      await body(db, network, other);
      await db.close();
      await other.close();
    };
    it(`${what}, in front of the embedded engine`, async () => {
      const engine = embedded();
      await run("http://embedded:4001", engine.fetch);
      engine.close();
    });
    it(`${what}, in front of rqlited`, { skip: skipWithoutRqlited() }, async () => {
      const server = await startRqlited();
      await run(server.url, fetch);
      await server.stop();
    });
  };
  const COUNT = "SELECT count(*), count(DISTINCT n) FROM t";

  inNetworks("applies each row once", async (db, network, other) => {
    const fates: Fate[] = ["pass", "lose answer", "double", "pass", "lose answer"];
    network.plan = ({ body }) => body.includes('INTO \\"t\\"') ? fates.shift() : "pass";
    const { rowsAffected } = await db.insertMany("t", numbered(50_000, (n) => [n]));
    // Of the requests whose answers were lost nobody knows how many rows they changed.
    assert.equal(rowsAffected, -1);
    for (const copy of network.copies) await network.deliver(copy);
    assert.deepEqual((await other.query(COUNT, [], { rows: "array" })).rows, [[50_000, 50_000]]);
  });

  inNetworks(
    "says what may be in where no answer comes, and by which id to ask",
    async (db, network, other) => {
      await db.insertMany("t", [[-1]]);
      const fates: Fate[] = ["pass", "lose answer"];
      const cut = () => fates.shift() ?? "delay";
      network.plan = cut;
      const rows = numbered(25_000, (n) => [n]);
      const error = await db.insertMany("t", rows, { timeout: 4000 }).catch((error: unknown) =>
        error
      );
      assert.ok(error instanceof OutcomeUnknownError, String(error));
      assert.deepEqual([error.rowsApplied, error.rowsUnknown], [10_000, 10_000]);
      assert.equal(await other.outcome(error.id!), "committed");
      await other.insertMany("t", rows.slice(error.rowsApplied! + error.rowsUnknown!));
      for (const copy of network.copies) await network.deliver(copy);
      assert.deepEqual((await other.query(COUNT, [], { rows: "array" })).rows, [[25_001, 25_001]]);
    },
  );
});

describe("replicas are equal behind insertMany()", { skip: skipWithoutRqlited() }, () => {
  it("with defaults of clock and chance, through a follower too", async () => {
    const cluster = await startCluster();
    const db = connect(cluster.urls);
    await db.execute(
      "CREATE TABLE t(n INTEGER PRIMARY KEY, at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP, token DEFAULT (hex(randomblob(8))))",
    );
    await db.insertMany("t", numbered(12_000, (n) => ({ n })));
    await Promise.all(cluster.urls.map(async (url, i) => {
      const one = connect(url);
      const rows = numbered(
        1000,
        (n) => ({ n, at: n % 2 === 0 ? null : "then" }),
        11_500 + 1000 * i,
      );
      await one.insertMany("t", rows, { onConflict: "replace" });
      await one.close();
    }));
    await equalReplicas(cluster);
    for (
      const rows of await rowsOfEach(
        cluster,
        "SELECT count(*), count(at), count(DISTINCT token) FROM t",
      )
    ) {
      assert.deepEqual(rows, [[14_500, 14_500, 14_500]]);
    }
    await db.close();
    await cluster.stop();
  });
});
