import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { type Client, connect, ConnectionError } from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { inspect, type Table } from "../../src/inspect/mod.ts";
import { skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";

interface Target {
  readonly url: string;
  readonly fetch: typeof fetch;
  close(): Promise<void>;
}

function inspectSuite(name: string, open: () => Promise<Target>, skip: string | false): void {
  describe(`inspect() on ${name}`, { skip }, () => {
    let target: Target | undefined;
    let db: Client;
    let requests = 0;
    before(async () => {
      target = await open();
      const { url, fetch } = target;
      db = connect(url, { fetch, onRequest: () => void requests++ });
    });
    after(() => target?.close());
    beforeEach(async () => {
      const { tables, views } = await inspect(db);
      for (const { name } of views) await db.execute(`DROP VIEW "${name}"`);
      for (const { name } of tables) await db.execute(`DROP TABLE "${name}"`);
      requests = 0;
    });

    async function tableOf(sql: string, ...more: string[]): Promise<Table> {
      await db.batch([sql, ...more]);
      const { tables } = await inspect(db);
      return tables.find((table) => table.sql.includes("/* it */")) ?? tables[0]!;
    }

    it("an empty database has nothing", async () => {
      assert.deepEqual(await inspect(db), { tables: [], views: [] });
      assert.equal(requests, 1);
    });

    it("columns have types, defaults, nullability and their place in the key", async () => {
      const { columns } = await tableOf(`CREATE TABLE t(
        id INTEGER PRIMARY KEY, name varchar(50) NOT NULL DEFAULT 'x',
        made TEXT DEFAULT (datetime('now')), bare, "odd ""name""" REAL DEFAULT -1.5)`);
      const common = { nullable: true, notNull: false, generated: undefined, hidden: false };
      assert.deepEqual(columns, [
        {
          ...common,
          name: "id",
          type: "INTEGER",
          nullable: false,
          default: undefined,
          primaryKey: 1,
        },
        {
          ...common,
          name: "name",
          type: "varchar(50)",
          nullable: false,
          notNull: true,
          default: "'x'",
          primaryKey: 0,
        },
        { ...common, name: "made", type: "TEXT", default: "datetime('now')", primaryKey: 0 },
        { ...common, name: "bare", type: "", default: undefined, primaryKey: 0 },
        { ...common, name: 'odd "name"', type: "REAL", default: "-1.5", primaryKey: 0 },
      ]);
    });

    it("generated and hidden columns say so", async () => {
      await db.execute("CREATE TABLE g(a, b AS (a + 1) VIRTUAL, c AS (a || ',') STORED)");
      await db.execute("CREATE VIRTUAL TABLE words USING fts5(body, tokenize = 'ascii')");
      const { tables } = await inspect(db);
      assert.deepEqual(tables.map(({ name, virtual }) => [name, virtual]), [
        ["g", false],
        ["words", true],
      ]);
      assert.deepEqual(tables[0]!.columns.map(({ generated }) => generated), [
        undefined,
        "virtual",
        "stored",
      ]);
      assert.deepEqual(tables[1]!.columns.map(({ name, hidden }) => [name, hidden]), [
        ["body", false],
        ["words", true],
        ["rank", true],
      ]);
      assert.deepEqual(tables[1]!.checks, []);
    });

    it("a rowid key, with AUTOINCREMENT and a name", async () => {
      const { primaryKey } = await tableOf(
        "CREATE TABLE t(id INTEGER CONSTRAINT pk PRIMARY KEY AUTOINCREMENT, a)",
      );
      assert.deepEqual(primaryKey, {
        name: "pk",
        columns: ["id"],
        rowid: true,
        autoincrement: true,
      });
    });

    it("keys that are no rowid", async () => {
      const composite = await tableOf(
        "CREATE TABLE t(a, b, c, CONSTRAINT pk PRIMARY KEY (c, A)) WITHOUT ROWID",
      );
      assert.deepEqual(composite.primaryKey, {
        name: "pk",
        columns: ["c", "a"],
        rowid: false,
        autoincrement: false,
      });
      assert.equal(composite.withoutRowid, true);
      assert.deepEqual(
        composite.columns.map(({ nullable, primaryKey }) => [nullable, primaryKey]),
        [
          [false, 2],
          [true, 0],
          [false, 1],
        ],
      );
      await db.execute("DROP TABLE t");
      const text = await tableOf("CREATE TABLE t(a TEXT PRIMARY KEY, b INT) STRICT");
      assert.equal(text.primaryKey?.rowid, false);
      assert.equal(text.strict, true);
      await db.execute("DROP TABLE t");
      assert.equal(
        (await tableOf("CREATE TABLE t(a INTEGER PRIMARY KEY DESC)")).primaryKey?.rowid,
        false,
      );
      await db.execute("DROP TABLE t");
      assert.equal((await tableOf("CREATE TABLE t(a)")).primaryKey, undefined);
    });

    it("foreign keys have columns, actions and names, also composite ones", async () => {
      const { foreignKeys } = await tableOf(
        `CREATE TABLE it(/* it */ a REFERENCES p ON DELETE SET NULL, b, C,
          d CONSTRAINT to_q REFERENCES q(x),
          CONSTRAINT both FOREIGN KEY (b, c) REFERENCES Q(x, y) ON UPDATE CASCADE ON DELETE RESTRICT,
          FOREIGN KEY (c) REFERENCES gone)`,
        "CREATE TABLE p(id INTEGER PRIMARY KEY)",
        "CREATE TABLE q(x UNIQUE, y, UNIQUE (x, y))",
      );
      const none = { name: undefined, onUpdate: "NO ACTION", onDelete: "NO ACTION" };
      assert.deepEqual(foreignKeys, [
        { ...none, columns: ["a"], table: "p", references: ["id"], onDelete: "SET NULL" },
        { ...none, name: "to_q", columns: ["d"], table: "q", references: ["x"] },
        {
          name: "both",
          columns: ["b", "C"],
          table: "Q",
          references: ["x", "y"],
          onUpdate: "CASCADE",
          onDelete: "RESTRICT",
        },
        { ...none, columns: ["C"], table: "gone", references: [] },
      ]);
    });

    it("unique constraints are those of the table, in order", async () => {
      const { uniques, indexes } = await tableOf(
        `CREATE TABLE t(a UNIQUE ON CONFLICT REPLACE, b CONSTRAINT ub UNIQUE, c,
          CONSTRAINT "u c" UNIQUE (C COLLATE NOCASE DESC, [b]), UNIQUE (c))`,
        "CREATE UNIQUE INDEX by_c ON t(c)",
      );
      assert.deepEqual(uniques, [
        { name: undefined, columns: ["a"] },
        { name: "ub", columns: ["b"] },
        { name: "u c", columns: ["c", "b"] },
        { name: undefined, columns: ["c"] },
      ]);
      assert.deepEqual(indexes.map(({ name, unique }) => [name, unique]), [["by_c", true]]);
    });

    it("constraints name the column that they mean, where only an umlaut's case tells", async () => {
      const { uniques, foreignKeys } = await tableOf(
        `CREATE TABLE t("Ä" TEXT UNIQUE, "ä" TEXT, z TEXT REFERENCES gone(x), UNIQUE (Z))`,
      );
      assert.deepEqual(uniques.map(({ columns }) => columns), [["Ä"], ["z"]]);
      assert.deepEqual(foreignKeys.map(({ columns }) => columns), [["z"]]);
    });

    it("checks are those of columns and of the table, as they were written", async () => {
      const { checks } = await tableOf(`CREATE TABLE t(
        a CHECK (a > 0 /* ) */) CHECK (a < (2 + 3)),
        "check" TEXT DEFAULT 'CHECK (1)' CONSTRAINT "no parens" CHECK ("check" <> ')('), -- CHECK (x)
        b NOT NULL CONSTRAINT lost DEFAULT (1) CHECK (b IN (1, 2)),
        CONSTRAINT sum CHECK (a + b < 10) CHECK (true))`);
      assert.deepEqual(checks, [
        { name: undefined, expression: "a > 0" },
        { name: undefined, expression: "a < (2 + 3)" },
        { name: "no parens", expression: "\"check\" <> ')('" },
        { name: undefined, expression: "b IN (1, 2)" },
        { name: "sum", expression: "a + b < 10" },
        { name: undefined, expression: "true" },
      ]);
    });

    it("indexes have columns, expressions, order and conditions", async () => {
      const { indexes } = await tableOf(
        "CREATE TABLE t(a, b)",
        "CREATE INDEX plain ON t(b DESC, a)",
        "CREATE UNIQUE INDEX part ON t(lower(a || ',') DESC, (b + 1) ASC) WHERE b IS NOT NULL AND a > 0",
      );
      assert.deepEqual(indexes, [
        {
          name: "part",
          unique: true,
          terms: [
            { column: undefined, expression: "lower(a || ',')", descending: true },
            { column: undefined, expression: "(b + 1)", descending: false },
          ],
          where: "b IS NOT NULL AND a > 0",
        },
        {
          name: "plain",
          unique: false,
          terms: [
            { column: "b", expression: undefined, descending: true },
            { column: "a", expression: undefined, descending: false },
          ],
          where: undefined,
        },
      ]);
    });

    it("what ALTER TABLE did is there", async () => {
      const { columns, checks } = await tableOf(
        "CREATE TABLE t(a CHECK (a > 0))",
        "ALTER TABLE t RENAME COLUMN a TO b",
        "ALTER TABLE t ADD COLUMN c TEXT NOT NULL DEFAULT '' CHECK (c <> 'x')",
      );
      assert.deepEqual(columns.map(({ name }) => name), ["b", "c"]);
      assert.deepEqual(checks.map(({ expression }) => expression.replaceAll('"', "")), [
        "b > 0",
        "c <> 'x'",
      ]);
    });

    it("views have columns, in one request", async () => {
      await db.batch([
        "CREATE TABLE t(a INTEGER, b TEXT)",
        "CREATE VIEW v AS SELECT b AS x, a FROM t",
      ]);
      requests = 0;
      const { views } = await inspect(db);
      assert.deepEqual(
        views.map(({ name, columns }) => [name, columns.map((c) => [c.name, c.type])]),
        [
          ["v", [["x", "TEXT"], ["a", "INTEGER"]]],
        ],
      );
      assert.equal(requests, 1);
    });

    it("a view that does not compile any more has no columns, and the others have theirs", async () => {
      await db.batch([
        "CREATE TABLE gone(a)",
        "CREATE TABLE t(a)",
        ...["a", "m", "z"].map((name) => `CREATE VIEW ${name}1 AS SELECT * FROM gone`),
        ...["a", "m", "z"].map((name) => `CREATE VIEW ${name}2 AS SELECT * FROM t`),
        "DROP TABLE gone",
      ]);
      const { views } = await inspect(db);
      assert.deepEqual(
        views.map(({ name, columns }) => [name, columns.length]),
        [["a1", 0], ["a2", 1], ["m1", 0], ["m2", 1], ["z1", 0], ["z2", 1]],
      );
    });

    it("a transaction sees its own tables, and others do not", async () => {
      await db.transaction(async (tx) => {
        await tx.execute("CREATE TABLE t(a)");
        assert.equal((await inspect(tx)).tables.length, 1);
        assert.equal((await inspect(db)).tables.length, 0);
      });
      assert.deepEqual((await inspect(db)).tables.map(({ name }) => name), ["t"]);
    });

    it("internal: true shows the client's own tables too", async () => {
      await db.transaction((tx) => tx.execute("CREATE TABLE t(a)"));
      const { tables } = await inspect(db, { internal: true });
      assert.ok(tables.some(({ name }) => name === "_rqlite_commit"));
    });

    it("works in every integer mode", async () => {
      await db.execute("CREATE TABLE t(a INTEGER PRIMARY KEY)");
      const expected = await inspect(db);
      for (const integers of ["bigint", "string", "auto"] as const) {
        const other = connect(target!.url, { fetch: target!.fetch, integers, rows: "array" });
        assert.deepEqual(await inspect(other), expected);
      }
    });
  });
}

inspectSuite("the embedded engine", () => {
  const engine = embedded();
  const close = () => Promise.resolve(engine.close());
  return Promise.resolve({ url: "http://embedded:4001", fetch: engine.fetch, close });
}, false);

inspectSuite("rqlited", async () => {
  const server = await startRqlited();
  return { url: server.url, fetch, close: () => server.stop() };
}, skipWithoutRqlited());

describe("inspect()", () => {
  it("rejects where no server answers, and where a signal fires", async () => {
    const db = connect("http://127.0.0.1:1");
    await assert.rejects(inspect(db), ConnectionError);
    const signal = AbortSignal.abort(new Error("enough"));
    await assert.rejects(inspect(db, { signal }), /enough/);
  });

  it("refuses what is no client", async () => {
    for (const wrong of [undefined, null, {}, "http://localhost:4001"]) {
      await assert.rejects(inspect(wrong as never), TypeError);
    }
  });
});
