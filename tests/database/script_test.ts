import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Client, connect, type ConnectOptions } from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { type Rqlited, skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";
import { contentsInSqlite, contentsOf } from "./contents.ts";
import { MUSIC } from "./music.ts";
import { ORDERS } from "./orders.ts";

/** A database of its own for each test. */
interface World {
  open(args?: { foreignKeys?: boolean }): Promise<Opened>;
}

interface Opened {
  readonly url: string;
  readonly fetch: typeof fetch;
  close(): Promise<void>;
}

const EMBEDDED: World = {
  open: ({ foreignKeys = false } = {}) => {
    const { fetch, close } = embedded(":memory:", { foreignKeys });
    return Promise.resolve({
      url: "http://embedded:4001",
      fetch,
      close: () => Promise.resolve(close()),
    });
  },
};

const RQLITED: World = {
  open: async ({ foreignKeys = false } = {}) => {
    const server: Rqlited = await startRqlited(foreignKeys ? { args: ["-fk"] } : {});
    return { url: server.url, fetch: globalThis.fetch, close: () => server.stop() };
  },
};

suite("embedded()", EMBEDDED, false);
suite("rqlited", RQLITED, skipWithoutRqlited());

function suite(name: string, world: World, skip: string | false): void {
  describe(`script() on ${name}`, { skip }, () => {
    const using = async (
      work: (db: Client, opened: Opened) => Promise<void>,
      options: ConnectOptions & { foreignKeys?: boolean } = {},
    ): Promise<void> => {
      const { foreignKeys = false, ...given } = options;
      const opened = await world.open({ foreignKeys });
      const db = connect(opened.url, { fetch: opened.fetch, ...given });
      try {
        await work(db, opened);
      } finally {
        await db.close();
        await opened.close();
      }
    };

    const texts: readonly [what: string, text: string][] = [
      ["a file as people write it", MUSIC],
      [
        "lines that end in CR and LF, behind a byte order mark",
        "\ufeff" + MUSIC.replaceAll("\n", "\r\n"),
      ],
      ["a dump of the shell", ORDERS],
    ];
    for (const [what, text] of texts) {
      it(`makes of ${what} what SQLite makes of it`, () =>
        using(async (db) => {
          await db.script(text);
          const contents = await contentsInSqlite(text);
          assert.ok(Object.values(contents).flat().length > 20);
          assert.deepEqual(await contentsOf(db), contents);
        }));
    }

    it("takes up again what a backup as text has put down", () =>
      using(async (db, { url, fetch }) => {
        await db.script(
          MUSIC + "*/; CREATE TABLE z(id INTEGER PRIMARY KEY AUTOINCREMENT); ANALYZE;",
        );
        await db.execute("INSERT INTO z VALUES(7)");
        await db.execute("DELETE FROM z");
        const dump = await (await fetch(`${url}/db/backup?fmt=sql`)).text();
        const contents = await contentsOf(db);
        assert.deepEqual(await contentsInSqlite(dump), contents);
        await using(async (other) => {
          await other.execute("CREATE TABLE mine(a)"); // so that there is a log of commits before
          await other.script(dump);
          await other.execute("DROP TABLE mine");
          assert.deepEqual(await contentsOf(other), contents);
          const { lastInsertId } = await other.execute("INSERT INTO z DEFAULT VALUES");
          assert.equal(lastInsertId, 8);
        });
      }));

    it("takes an id, under which it is applied once", () =>
      using(async (db) => {
        await db.execute("CREATE TABLE t(a)");
        const text = "INSERT INTO t VALUES(1); INSERT INTO t VALUES(2);";
        await db.script(text, { id: "seed" });
        const again = await db.script(text, { id: "seed" });
        assert.deepEqual(again.map(({ rowsAffected }) => rowsAffected), [-1, -1]);
        assert.equal(await db.value("SELECT count(*) FROM t"), 2);
        await assert.rejects(db.script("DELETE FROM t", { id: "seed" }), {
          name: "ProgrammingError",
        });
        assert.equal(await db.outcome("seed"), "committed");
      }));

    it("keeps the log of commits through a dump that empties sqlite_sequence", () =>
      using(async (db) => {
        await db.execute("CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT)");
        const sequence = async (): Promise<number> =>
          (await db.query<{ seq: number }>(
            "SELECT seq FROM sqlite_sequence WHERE name = '_rqlite_commit'",
          )).rows[0]!.seq;
        const before = await sequence();
        await db.script(
          "DELETE FROM \"sqlite_sequence\";;INSERT INTO sqlite_sequence VALUES('t', 5)",
        );
        assert.equal(await sequence(), before + 1);
        assert.equal((await db.execute("INSERT INTO t DEFAULT VALUES")).lastInsertId, 6);
      }));

    it("leaves an INSERT or REPLACE of a row of sqlite_sequence as it is", () =>
      using(async (db) => {
        await db.execute("CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT)");
        const ways = ["INSERT", "REPLACE", "INSERT OR REPLACE", "WITH c AS (SELECT 1) REPLACE"];
        for (const [i, way] of ways.entries()) {
          await db.execute("DELETE FROM sqlite_sequence WHERE name = 't'");
          await db.execute(`${way} INTO sqlite_sequence(name, seq) VALUES('t', ?)`, [10 * i]);
          const { lastInsertId } = await db.execute("INSERT INTO t DEFAULT VALUES");
          assert.equal(lastInsertId, 10 * i + 1, way);
        }
      }));

    it("lets sqlite_sequence be set from a table with a column of the same name", () =>
      using(async (db) => {
        await db.execute("CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT)");
        await db.execute("INSERT INTO t DEFAULT VALUES");
        await db.execute("CREATE TABLE saved(name TEXT, seq INTEGER)");
        await db.execute("INSERT INTO saved VALUES('t', 0), ('_rqlite_commit', 0)");
        const ways = [
          "sqlite_sequence SET seq = saved.seq FROM saved WHERE saved.name = sqlite_sequence.name",
          'main."sqlite_sequence" AS q SET seq = s.seq FROM saved s WHERE s.name = q.name',
          "sqlite_sequence NOT INDEXED SET seq = s.seq FROM saved AS s WHERE s.name = 't'",
          "OR IGNORE sqlite_sequence SET seq = s.seq FROM saved AS s",
        ];
        for (const [i, way] of ways.entries()) {
          await db.execute("UPDATE saved SET seq = ?", [10 * (i + 1)]);
          await db.execute(`UPDATE ${way}`);
          const { lastInsertId } = await db.execute("INSERT INTO t DEFAULT VALUES");
          assert.equal(lastInsertId, 10 * (i + 1) + 1, way);
        }
      }));

    it("answers what each statement did, those of reads too", () =>
      using(async (db) => {
        const results = await db.script(
          "BEGIN; CREATE TABLE t(a); INSERT INTO t VALUES(9007199254740993), (2) ;\n" +
            "SELECT count(*) AS n, max(a) AS most FROM t; EXPLAIN SELECT 1; ; COMMIT; -- end",
          { integers: "bigint" },
        );
        assert.equal(results.length, 4);
        assert.equal(results[1]!.rowsAffected, 2);
        assert.deepEqual(results[2]!.rows, [{ n: 2n, most: 9007199254740993n }]);
        assert.deepEqual(await db.script(" -- nothing\n ; BEGIN; END; /* ; "), []);
      }));

    it("sets what a PRAGMA keeps in the file", () =>
      using(async (db) => {
        await db.script("PRAGMA user_version = 7; CREATE TABLE t(a); PRAGMA application_id = 8;");
        const { rows } = await db.query("SELECT * FROM pragma_user_version, pragma_application_id");
        assert.deepEqual(rows, [{ user_version: 7, application_id: 8 }]);
        await assert.rejects(db.script("PRAGMA user_version = 9; INSERT INTO nope VALUES(1)"));
        assert.deepEqual((await db.query("PRAGMA user_version")).rows, [{ user_version: 7 }]);
      }));

    it("says where the statement stands that failed, and keeps nothing", () =>
      using(async (db) => {
        const text = "PRAGMA foreign_keys=OFF;\nBEGIN;\nCREATE TABLE t(a\n PRIMARY KEY);\n\n" +
          "INSERT INTO t VALUES('a\n\n;');INSERT INTO t\n  VALUES(1),\n  (1);\nCOMMIT;";
        await assert.rejects(db.script(text), {
          name: "IntegrityError",
          statementIndex: 2,
          sql: "INSERT INTO t\n  VALUES(1),\n  (1)",
          message: /UNIQUE constraint failed: t\.a \(line 8: INSERT INTO t VALUES\(1\), \(1\)\)$/,
          stack: /\(line 8: INSERT/,
        });
        await assert.rejects(db.script("CREATE TABLE t(a);\n\nINSERT INTO nope VALUES(1)"), {
          name: "ProgrammingError",
          statementIndex: 1,
          message: /no such table: nope at line 1, column 13 .* \(line 3 of the script\)$/,
        });
        const { rows } = await db.query("SELECT * FROM sqlite_schema WHERE name = 't'");
        assert.deepEqual(rows, []);
      }));

    it("stores the time of the call where CURRENT_TIMESTAMP stands, also as a default of what it makes", () =>
      using(async (db) => {
        await db.script(
          "CREATE TABLE t(id INTEGER PRIMARY KEY, at TEXT DEFAULT CURRENT_TIMESTAMP);\n" +
            "INSERT INTO t(id) VALUES(1); INSERT INTO t VALUES(2, CURRENT_TIMESTAMP);\n" +
            "CREATE TABLE u(at TEXT DEFAULT (strftime('%s', 'now')), r DEFAULT (random()));\n" +
            "INSERT INTO u DEFAULT VALUES; INSERT INTO u SELECT strftime('%s', at), r FROM u;",
        );
        const { rows } = await db.query(
          "SELECT (SELECT count(DISTINCT at) FROM t) AS t, (SELECT count(DISTINCT at) FROM u) AS u",
        );
        assert.deepEqual(rows, [{ t: 1, u: 1 }]);
      }));

    it("needs its keys deferred where they are checked and children come first", () =>
      using(async (db) => {
        const hint =
          "make the tables before the rows .* begin with `PRAGMA defer_foreign_keys = ON;`";
        await assert.rejects(db.script(ORDERS), {
          message: new RegExp(`no such table: main.Products \\(line 4: .*${hint}`),
        });
        const lines = ORDERS.split("\n");
        const isTable = (line: string): boolean => line.startsWith("CREATE TABLE");
        const tablesFirst = [
          "PRAGMA foreign_keys=OFF;",
          ...lines.filter(isTable),
          ...lines.filter((line) => !isTable(line)),
        ].join("\n");
        await assert.rejects(db.script(tablesFirst), {
          name: "IntegrityError",
          constraint: "foreignkey",
          message: new RegExp(`\\(line 8: INSERT .*${hint}`),
        });
        await db.script(`PRAGMA defer_foreign_keys = ON;${tablesFirst}`);
        assert.deepEqual(await contentsOf(db), await contentsInSqlite(ORDERS));
        const orphan = "PRAGMA foreign_keys = OFF; PRAGMA defer_foreign_keys = ON;" +
          "INSERT INTO Orders VALUES(1, 99, NULL, 0)";
        await assert.rejects(db.script(orphan), {
          name: "IntegrityError",
          constraint: "foreignkey",
          message: /failed$/, // at the commit: no statement, and no remedy
        });
        assert.deepEqual(await contentsOf(db), await contentsInSqlite(ORDERS));
      }, { foreignKeys: true }));

    it("makes no table anew where that would take rows of others along, as keys are checked", () =>
      using(async (db) => {
        await db.script(`
          CREATE TABLE shelves(id INTEGER PRIMARY KEY);
          CREATE TABLE books(id INTEGER PRIMARY KEY, shelf REFERENCES shelves(id) ON DELETE CASCADE)`);
        const rebuild = `PRAGMA foreign_keys=OFF;
          CREATE TABLE new_shelves(id INTEGER PRIMARY KEY, label TEXT);
          INSERT INTO new_shelves SELECT id, NULL FROM shelves;
          DROP TABLE main."Shelves";
          ALTER TABLE new_shelves RENAME TO shelves;`;
        const renamed = `PRAGMA foreign_keys=OFF;
          ALTER TABLE shelves RENAME TO old_shelves;
          CREATE TABLE shelves(id INTEGER PRIMARY KEY, more);
          INSERT INTO shelves SELECT id, NULL FROM old_shelves;
          DROP TABLE IF EXISTS old_shelves;`;
        const renamedTwice = `PRAGMA foreign_keys=OFF;
          ALTER TABLE shelves RENAME TO old_shelves; ALTER TABLE old_shelves RENAME TO "Older ones";
          CREATE TABLE shelves(id INTEGER PRIMARY KEY, more);
          INSERT INTO shelves SELECT id, NULL FROM "Older ones";
          DROP TABLE main.'older ones';`;
        const dump = `PRAGMA foreign_keys=OFF;
          DROP TABLE IF EXISTS books; CREATE TABLE books(id, shelf); INSERT INTO books VALUES(8, 1);
          DROP TABLE IF EXISTS shelves; CREATE TABLE shelves(id);`;
        await db.script(rebuild); // nobody refers to a row
        await db.script(
          "INSERT INTO shelves(id) VALUES(1); INSERT INTO books VALUES(1, 1), (2, NULL)",
        );
        const before = await contentsOf(db);
        const scripts = [[rebuild, 4], [renamed, 5], [renamedTwice, 5], [dump, 3]] as const;
        for (const [script, line] of scripts) {
          await assert.rejects(db.script(script), {
            name: "NotSupportedError",
            message: new RegExp(
              `rows of books.*ALTER TABLE.*-fk.*PRAGMA.*\\(line ${line}: DROP TABLE`,
            ),
          });
          assert.deepEqual(await contentsOf(db), before);
        }
        await db.script(dump.replace("PRAGMA foreign_keys=OFF;", "")); // they may go
        assert.deepEqual((await db.query("SELECT id FROM books")).rows, [{ id: 8 }]);
      }, { foreignKeys: true }));

    it("finds what refers to a table that it would make anew, whatever its keys and names are", () =>
      using(async (db) => {
        const rebuild = `PRAGMA foreign_keys=OFF;
          CREATE TABLE anew(a, b, c, PRIMARY KEY(a, b)); INSERT INTO anew SELECT a, b, 1 FROM "a ""b";
          DROP TABLE "A ""b"; ALTER TABLE anew RENAME TO "a ""b"`;
        await db.script(`
          CREATE TABLE "a ""b"(a, b, PRIMARY KEY(a, b));
          CREATE TABLE json_each(id INTEGER PRIMARY KEY, "or""der", "select",
            FOREIGN KEY("or""der", "select") REFERENCES "A ""b" ON DELETE SET NULL);
          CREATE VIEW seen AS SELECT "select" FROM json_each;
          CREATE TABLE log(id);
          CREATE TRIGGER told AFTER UPDATE ON json_each BEGIN INSERT INTO log VALUES(new.id); END;
          INSERT INTO "a ""b" VALUES(1, 2); INSERT INTO json_each(id) VALUES(1)`);
        await db.script(rebuild); // nobody refers to a row
        await db.script("INSERT INTO json_each VALUES(2, 1, 2)");
        const before = await contentsOf(db);
        await assert.rejects(db.script(rebuild), {
          message: /dropping .* rows of json_each: use/i,
        });
        assert.deepEqual(await contentsOf(db), before);
      }, { foreignKeys: true }));

    it("makes a table anew where keys are not checked", () =>
      using(async (db) => {
        await db.script(`
          CREATE TABLE shelves(id INTEGER PRIMARY KEY);
          CREATE TABLE books(id INTEGER PRIMARY KEY, shelf REFERENCES shelves(id) ON DELETE CASCADE);
          INSERT INTO shelves(id) VALUES(1); INSERT INTO books VALUES(1, 1);
          PRAGMA foreign_keys=OFF;
          CREATE TABLE new_shelves(id INTEGER PRIMARY KEY, label TEXT);
          INSERT INTO new_shelves SELECT id, NULL FROM shelves;
          DROP TABLE shelves; ALTER TABLE new_shelves RENAME TO shelves`);
        assert.deepEqual(await db.value("SELECT count(*) FROM books"), 1);
      }));

    it("ends with the signal, and with the time of the call", () =>
      using(async (db) => {
        const reason = new Error("enough");
        const signal = AbortSignal.abort(reason);
        await assert.rejects(db.script("CREATE TABLE t(a)", { signal }), reason);
        await assert.rejects(db.script("CREATE TABLE t(a)", { timeout: 0.000001 }), {
          name: "TimeoutError",
        });
      }));
  });
}
