// Tables and views that have every name which the client's own SQL reads from: SQLite finds them before its own.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sql } from "drizzle-orm";
import { Kysely } from "kysely";
import { type Client, connect, NotSupportedError } from "../../mod.ts";
import { drizzle } from "../../packages/drizzle/mod.ts";
import { migrate } from "../../packages/drizzle/migrator.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { inspect } from "../../src/inspect/mod.ts";
import { RqliteDialect } from "../../packages/kysely/mod.ts";
import { RqliteLock } from "../../src/locks/rqlite.ts";
import { withMigrations } from "../drizzle/migrations_folder.ts";
import { PLACES, type World } from "../transaction/world.ts";

const PRAGMAS = "database_list foreign_key_list index_info index_list index_xinfo schema_version " +
  "table_info table_list table_xinfo";
const TABLES = [...PRAGMAS.split(" ").map((name) => `pragma_${name}`), "json_each", "json_tree"];
/** Aliases and common table expressions, and the schemas. */
const SHORT = "a c c0 f i k l m n r s v x y main temp".split(" ");
const NAMES = [...TABLES, ...SHORT];
const COLUMNS = 'id INTEGER PRIMARY KEY, name TEXT DEFAULT "", "unique", "table", "from", "key", ' +
  "sql, type, value, schema, state, hash, wrote, seq, c0, c, f, i, k, l, m, n, r, s, v, x, y";

/** One row in each, and something that refers to a key. */
async function fill(db: Client): Promise<void> {
  await db.batch(NAMES.flatMap((name) => [
    `CREATE TABLE "${name}"(${COLUMNS})`,
    `CREATE UNIQUE INDEX "of ${name}" ON "${name}"(name) WHERE name <> ''`,
    `INSERT INTO "${name}"(name) VALUES('a' || char(0) || 'b')`,
  ]));
  await db.execute("CREATE TABLE child(p REFERENCES json_each ON DELETE CASCADE)");
}

/** The same names as views, of which SQLite takes no arguments either. */
async function fillViews(db: Client): Promise<void> {
  const views = TABLES.map((name) => `CREATE VIEW ${name} AS SELECT 1 AS name, 2 AS value`);
  await db.batch(["CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT UNIQUE)", ...views]);
}

for (const place of PLACES) {
  const test = (name: string, body: (world: World) => Promise<void>) =>
    it(name, () => place.run(body));

  describe(`names that shadow SQLite's own, on ${place.name}`, { skip: place.skip }, () => {
    test("inspect() reads tables and views of such names", async ({ db }) => {
      await fill(db);
      const { tables } = await inspect(db);
      assert.deepEqual(tables.map(({ name }) => name), [...NAMES, "child"].sort());
      for (const { name, columns, primaryKey, indexes } of tables) {
        if (name === "child") continue;
        const found = [columns.length, primaryKey?.columns, indexes[0]?.where];
        assert.deepEqual(found, [COLUMNS.split(",").length, ["id"], "name <> ''"], name);
      }
      const child = tables.find(({ name }) => name === "child")!;
      assert.deepEqual(child.foreignKeys.map(({ table, references }) => [table, references]), [
        ["json_each", ["id"]],
      ]);
    });

    test("every kind of write knows the schema where views have such names", async (world) => {
      const { db, other, value } = world;
      await fillViews(db);
      assert.deepEqual((await inspect(db)).views.map(({ name }) => name), [...TABLES].sort());
      await db.execute("INSERT INTO t(name) VALUES(?)", ["one"]);
      await db.transaction(async (tx) => {
        const { rows } = await tx.query("SELECT name FROM t ORDER BY id");
        await tx.execute("INSERT INTO t(name) VALUES(?)", [`${rows.length + 1}`]);
        assert.equal((await inspect(tx)).tables.length, 1);
      });
      await other.execute("ALTER TABLE t ADD added TEXT DEFAULT 'here'");
      await db.execute("INSERT INTO t(name) VALUES(?)", ["three"], { id: "three" });
      assert.equal(await db.outcome("three"), "committed");
      assert.equal(
        await value("SELECT group_concat(name || added) FROM t"),
        "onehere,2here,threehere",
      );
    });

    test("transactions read and write every table of such a name", async ({ db, value }) => {
      await fill(db);
      const own = NAMES.filter((name) => !name.startsWith("pragma_"));
      for (const mode of ["eager", "lazy"] as const) {
        await db.transaction(async (tx) => {
          for (const name of own) {
            const { rows: [row] } = await tx.query<unknown[]>(
              `SELECT id, name, "unique" FROM "${name}"`,
              [],
              { rows: "array" },
            );
            assert.deepEqual(row, [1, "a\0b", mode === "eager" ? null : 1], name);
          }
          for (const name of NAMES) await tx.execute(`UPDATE "${name}" SET "unique" = 1`);
        }, { mode });
      }
      assert.equal(await value('SELECT sum("unique") FROM json_each'), 1);
    });

    test("a conflict over many tables of such names is told", async ({ db, other, value }) => {
      await fill(db);
      const conflicting = db.transaction(async (tx) => {
        for (const name of SHORT) await tx.query(`SELECT v FROM "${name}"`);
        await other.execute("UPDATE r SET v = 5");
        for (const name of SHORT) await tx.execute(`UPDATE "${name}" SET v = 1`);
      }, { retries: 0 });
      await assert.rejects(conflicting, { name: "TransactionConflictError" });
      assert.equal(await value("SELECT v FROM r"), 5);
    });

    test("the Kysely dialect introspects and writes them, under a lock", async ({ db }) => {
      await fill(db);
      const dialect = new RqliteDialect({ client: db });
      const kysely = new Kysely<{ pragma_table_list: { id: number; name: string } }>({ dialect });
      const tables = await kysely.introspection.getTables();
      assert.deepEqual(tables.map(({ name }) => name), [...NAMES, "child"].sort());
      await kysely.insertInto("pragma_table_list").values({ id: 7, name: "seven" }).execute();
      const lock = new RqliteLock({ name: "l", client: db });
      await db.transaction((tx) => tx.execute("UPDATE json_each SET name = 'locked'"), { lock });
      assert.equal(await db.value("SELECT name FROM pragma_table_list WHERE id = 7"), "seven");
    });

    test("migrate() of Drizzle finds who refers to a table that is made anew", async ({ db }) => {
      await fill(db);
      await db.execute("INSERT INTO child VALUES(1)");
      const orm = drizzle(db);
      const files = [
        "CREATE TABLE made(id INTEGER PRIMARY KEY);",
        "PRAGMA foreign_keys=OFF;--> statement-breakpoint\n" +
        "CREATE TABLE `__new_json_each`(id INTEGER PRIMARY KEY);--> statement-breakpoint\n" +
        "DROP TABLE `json_each`;--> statement-breakpoint\n" +
        "ALTER TABLE `__new_json_each` RENAME TO `json_each`;--> statement-breakpoint\n" +
        "PRAGMA foreign_keys=ON;",
      ];
      await withMigrations(files.slice(0, 1), async (migrationsFolder, write) => {
        await migrate(orm, { migrationsFolder });
        assert.deepEqual(await orm.values(sql`SELECT count(*) FROM made`), [[0]]);
        write(files);
        await assert.rejects(migrate(orm, { migrationsFolder }), (error: Error) => {
          assert.ok(error instanceof NotSupportedError, String(error));
          assert.match(error.message, /json_each anew .* rows of child/s);
          return true;
        });
      });
    });
  });
}

describe("names that shadow SQLite's own, in the embedded engine", () => {
  it("a dump holds their rows, and loads again", async () => {
    const [one, two] = [embedded(), embedded()];
    try {
      const db = connect({ fetch: one.fetch });
      await fill(db);
      const url = "http://embedded:4001/db/";
      const dump = await (await one.fetch(`${url}backup?fmt=sql`)).text();
      const loaded = await two.fetch(`${url}load`, {
        method: "POST",
        headers: { "content-type": "text/plain" },
        body: dump,
      });
      assert.doesNotMatch(await loaded.text(), /error/);
      const copy = connect({ fetch: two.fetch });
      assert.deepEqual((await inspect(copy)).tables, (await inspect(db)).tables);
      assert.equal(await copy.value("SELECT id FROM pragma_table_info"), 1);
    } finally {
      one.close();
      two.close();
    }
  });
});
