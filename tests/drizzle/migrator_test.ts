// Migrations: each once, all or nothing, by many at once, after a crash; and files that make no sense.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { sql } from "drizzle-orm";
import { IntegrityError, NotSupportedError, ProgrammingError } from "../../mod.ts";
import { drizzle } from "../../packages/drizzle/mod.ts";
import { migrate } from "../../packages/drizzle/migrator.ts";
import { drizzle as drizzleV1 } from "../../packages/drizzle-v1/mod.ts";
import { skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";
import { withMigrations } from "./migrations_folder.ts";
import { DRIZZLE_PLACES, type DrizzleWorld } from "./world.ts";

const CHILD = fileURLToPath(new URL("./child.ts", import.meta.url));
const BREAK = "\n--> statement-breakpoint\n";

const FIRST = [
  "-- the first tables\nCREATE TABLE `cities` (`id` integer PRIMARY KEY, `name` text);",
  "CREATE TRIGGER loud AFTER INSERT ON cities BEGIN\n" +
  "  UPDATE cities SET name = upper(name) WHERE id = new.id; SELECT 1; END;",
  "INSERT INTO cities VALUES (1, 'a;b')",
].join(BREAK);
const SECOND =
  `ALTER TABLE cities ADD people integer;${BREAK}INSERT INTO cities VALUES (2, 'c', 7);`;

/** What drizzle-kit writes where a column is changed. */
function rebuild(table: string, columns: string): string {
  return [
    "PRAGMA foreign_keys=OFF;",
    `CREATE TABLE \`__new_${table}\` (${columns});`,
    `INSERT INTO \`__new_${table}\` SELECT * FROM \`${table}\`;`,
    `DROP TABLE \`${table}\`;`,
    `ALTER TABLE \`__new_${table}\` RENAME TO \`${table}\`;`,
    "PRAGMA foreign_keys=ON;",
  ].join("--> statement-breakpoint\n");
}

async function assertLoss(
  db: DrizzleWorld["db"],
  migrationsFolder: string,
  table: string,
  child: string,
): Promise<void> {
  await assert.rejects(migrate(db, { migrationsFolder }), (error: Error) => {
    assert.ok(error instanceof NotSupportedError, String(error));
    const expected = `makes ${table} anew .* would change the rows of ${child}`;
    assert.match(error.message, new RegExp(expected));
    return true;
  });
}

function runChild(...args: string[]): Promise<number | null> {
  const run = "deno" in process.versions ? ["run", "-A", "--no-check", CHILD] : [CHILD];
  const child = spawn(process.execPath, [...run, ...args], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
}

for (const place of DRIZZLE_PLACES) {
  const test = (name: string, body: (world: DrizzleWorld) => Promise<void>) =>
    it(name, () => place.run(body));

  describe(`migrate() of Drizzle on ${place.name}`, { skip: place.skip }, () => {
    test("applies what is new, once, and notes it", async ({ db, network }) => {
      await withMigrations([FIRST], async (migrationsFolder, write) => {
        await migrate(db, { migrationsFolder });
        assert.deepEqual(await db.values(sql`SELECT * FROM cities`), [[1, "A;B"]]);
        write([FIRST, SECOND]);
        await migrate(db, { migrationsFolder });
        const before = network.requests.length;
        await migrate(db, { migrationsFolder });
        // First what a client asks before it writes, as the migrations before have changed the schema.
        const sent = network.requests.slice(before);
        assert.deepEqual(sent, ["/db/query", "/db/execute", "/db/query"]);
        assert.deepEqual(await db.values(sql`SELECT * FROM cities`), [[1, "A;B", null], [
          2,
          "C",
          7,
        ]]);
        const notes = await db.values(sql`SELECT id, created_at FROM __drizzle_migrations`);
        assert.deepEqual(notes, [[1, 1_700_000_000_000], [2, 1_700_000_000_001]]);
        const migrationsTable = 'my "own"';
        await db.run(sql`DROP TABLE cities`);
        await migrate(db, { migrationsFolder, migrationsTable });
        assert.equal(
          (await db.values(sql`SELECT * FROM ${sql.identifier(migrationsTable)}`)).length,
          2,
        );
      });
    });

    test("keeps nothing where a statement fails", async ({ db }) => {
      const failing =
        `INSERT INTO cities VALUES (9, 'x', 1)${BREAK}INSERT INTO cities VALUES (9, 'x', 1)`;
      await withMigrations([FIRST, SECOND, failing], async (migrationsFolder, write) => {
        await assert.rejects(migrate(db, { migrationsFolder }), (error: Error) => {
          assert.ok(error instanceof IntegrityError);
          assert.match(error.sql!, /INSERT INTO cities VALUES \(9/);
          return true;
        });
        const tables = await db.values(sql`SELECT name FROM sqlite_schema WHERE name = 'cities'`);
        assert.deepEqual(tables, []);
        assert.deepEqual(await db.values(sql`SELECT * FROM __drizzle_migrations`), []);
        write([FIRST, SECOND]);
        await migrate(db, { migrationsFolder });
        assert.equal((await db.values(sql`SELECT * FROM __drizzle_migrations`)).length, 2);
      });
    });

    test("refuses files that say several things at once, or what no transaction can do", async ({ db }) => {
      const refused = (
        text: string,
        type: typeof ProgrammingError | typeof NotSupportedError,
        message: RegExp,
      ) =>
        withMigrations(
          [FIRST, text],
          (migrationsFolder) =>
            assert.rejects(migrate(db, { migrationsFolder }), (error: Error) => {
              assert.ok(error instanceof type, String(error));
              assert.match(error.message, message);
              return true;
            }),
        );
      await refused(
        "DROP TABLE cities; DROP TABLE users",
        ProgrammingError,
        /2 statements stand between/,
      );
      await refused(`BEGIN${BREAK}DROP TABLE cities`, ProgrammingError, /Cannot send BEGIN/);
      await refused("VACUUM", NotSupportedError, /Cannot send VACUUM in a transaction/);
      await refused("PRAGMA optimize", NotSupportedError, /Cannot send PRAGMA optimize in a trans/);
      await refused("PRAGMA journal_mode = WAL", NotSupportedError, /journal_mode/);
      await refused("ATTACH 'x' AS y", NotSupportedError, /Cannot send ATTACH/);
      await refused("CREATE TABLE x(a", ProgrammingError, /./);
      const tables = await db.values(sql`SELECT name FROM sqlite_schema WHERE name = 'cities'`);
      assert.deepEqual(tables, [], "nothing was applied");
      await assert.rejects(migrate(db, { migrationsFolder: "/nowhere" }), (error: Error) => {
        assert.ok(error instanceof ProgrammingError);
        assert.match(error.message, /_journal\.json .* @tangled\/rqlite-drizzle-v1/);
        return true;
      });
    });

    test("applies files without a statement and notes them", async ({ db }) => {
      const empty = [
        "",
        "-- Custom SQL migration file, put your code below! --",
        `;${BREAK}/* nothing */`,
        "PRAGMA foreign_keys = OFF",
      ];
      await withMigrations([FIRST, ...empty, SECOND], async (migrationsFolder) => {
        await migrate(db, { migrationsFolder });
        await migrate(db, { migrationsFolder });
      });
      assert.equal((await db.values(sql`SELECT * FROM cities`)).length, 2);
      const hashes = await db.values(sql`SELECT hash FROM __drizzle_migrations`);
      assert.equal(new Set(hashes.flat()).size, 6);
    });

    test("notes a file that is a comment around breakpoints, as pull writes it, without running it", async ({ db }) => {
      const pulled =
        `-- pulled\n/*\nCREATE TABLE cities(id);\n${BREAK}CREATE INDEX a ON cities(id);\n*/\n`;
      await db.run(sql`CREATE TABLE cities(id INTEGER PRIMARY KEY, name TEXT)`);
      await withMigrations([pulled, SECOND], async (migrationsFolder, write) => {
        await migrate(db, { migrationsFolder });
        assert.deepEqual(await db.values(sql`SELECT * FROM cities`), [[2, "c", 7]]);
        assert.equal((await db.values(sql`SELECT * FROM __drizzle_migrations`)).length, 2);
        write([pulled, SECOND, pulled + "SELECT 1 FROM cities"]);
        await assert.rejects(migrate(db, { migrationsFolder }), ProgrammingError);
      });
    });

    test("splits files that were made without breakpoints", async ({ db }) => {
      const text = FIRST.replaceAll(BREAK, ";\n");
      await withMigrations([text], async (migrationsFolder) => {
        await migrate(db, { migrationsFolder });
        assert.deepEqual(await db.values(sql`SELECT * FROM cities`), [[1, "A;B"]]);
      }, false);
    });

    test("makes a table anew, unless rows that refer to it would be lost", async ({ db }) => {
      await db.run(sql`INSERT INTO users(id, name) VALUES(1, 'Ada')`);
      await db.run(sql`INSERT INTO posts VALUES(1, 1, 'One')`);
      const posts = rebuild("posts", "id INTEGER PRIMARY KEY, author INTEGER, title TEXT");
      const users = rebuild("users", "id INTEGER PRIMARY KEY, name TEXT, a, b, c");
      // What refers to users has no rows, or does not refer any more.
      await withMigrations([posts, users], (migrationsFolder) => migrate(db, { migrationsFolder }));
      assert.deepEqual(await db.values(sql`SELECT * FROM posts`), [[1, 1, "One"]]);
      assert.deepEqual(await db.values(sql`SELECT id, name FROM users`), [[1, "Ada"]]);
      await db.run(sql`DROP TABLE __drizzle_migrations`);
      await db.run(sql`INSERT INTO groups VALUES(1, 'G')`);
      await db.run(sql`INSERT INTO members VALUES(1, 1)`);
      const again = rebuild("users", "id INTEGER PRIMARY KEY, name TEXT, a, b, c");
      const other = again.replace("DROP TABLE `", "-- the old one\nDROP TABLE IF EXISTS main.`");
      for (const file of [again, other]) {
        await withMigrations([file], (folder) => assertLoss(db, folder, "users", "members"));
      }
      assert.deepEqual(await db.values(sql`SELECT * FROM members`), [[1, 1]]);
    });

    test("looks for such rows of every table that a file makes anew, also behind foreign_keys=ON", async ({ db }) => {
      // drizzle-kit 0.31 writes each PRAGMA once, however many tables a file makes anew.
      const pragmas = /PRAGMA foreign_keys=O\w+;(--> statement-breakpoint\n)?/g;
      const users = rebuild("users", "id INTEGER PRIMARY KEY, name TEXT, a, b, c");
      const twice = rebuild("posts", "id INTEGER PRIMARY KEY, author INTEGER, title TEXT") +
        BREAK + users.replace(pragmas, "");
      await db.run(sql`INSERT INTO users(id, name) VALUES(1, 'Ada')`);
      await db.run(sql`INSERT INTO groups VALUES(1, 'G')`);
      await db.run(sql`INSERT INTO members VALUES(1, 1)`);
      await withMigrations([twice], (folder) => assertLoss(db, folder, "users", "members"));
      assert.deepEqual(await db.values(sql`SELECT * FROM members`), [[1, 1]]);
    });

    test("refuses to make a table anew from a column that the old one lacks", async ({ db }) => {
      // drizzle-kit 0.31 writes this where a column is added; SQLite takes the name for a text.
      const copy = (columns: string): string =>
        rebuild("cities", "id integer PRIMARY KEY NOT NULL, name text, likes integer").replace(
          "INSERT INTO `__new_cities` SELECT *",
          `INSERT INTO \`__new_cities\`(${columns}) SELECT ${columns}`,
        );
      await withMigrations(
        [FIRST, copy('"id", "likes", "name"')],
        async (migrationsFolder, write) => {
          await assert.rejects(migrate(db, { migrationsFolder }), (error: Error) => {
            assert.ok(error instanceof ProgrammingError, String(error));
            assert.match(error.message, /migration 2 .* copies likes from cities/);
            return true;
          });
          assert.deepEqual(await db.values(sql`SELECT * FROM __drizzle_migrations`), []);
          write([FIRST, copy('"ID", "name"')]);
          await migrate(db, { migrationsFolder });
          assert.deepEqual(await db.values(sql`SELECT * FROM cities`), [[1, "A;B", null]]);
        },
      );
    });

    test("looks for such rows in the middle of all that is pending on an empty database", async ({ db }) => {
      const first = "CREATE TABLE a(id INTEGER PRIMARY KEY, old INTEGER)";
      const second = "CREATE TABLE b(a INTEGER REFERENCES a(id) ON DELETE CASCADE)";
      const third = ["INSERT INTO a VALUES(1, 2)", "INSERT INTO b VALUES(1)"].join(BREAK);
      const last = rebuild("a", "id INTEGER PRIMARY KEY, new TEXT");
      const folder = [first, second, last];
      await withMigrations(folder, (migrationsFolder) => migrate(db, { migrationsFolder }));
      await db.batch([db.run("DROP TABLE b"), db.run("DROP TABLE a")]);
      await db.run("DROP TABLE __drizzle_migrations");
      await withMigrations([first, second, third, last], async (folder, write) => {
        await assertLoss(db, folder, "a", "b");
        const tables = await db.values(
          sql`SELECT name FROM sqlite_schema WHERE name IN ('a', 'b')`,
        );
        assert.deepEqual(tables, [], "nothing was applied");
        // Dropped on purpose, with foreign keys on: SQLite deletes such rows by itself.
        write([first, second, third, "DROP TABLE a"]);
        await migrate(db, { migrationsFolder: folder });
        assert.deepEqual(await db.values("SELECT * FROM b"), []);
      });
    });
  });
}

describe("migrate() of Drizzle", () => {
  it("refuses databases of others and options that it does not know, before anything is sent", async () => {
    const db = drizzle("http://localhost:1");
    const refused = async (given: unknown, options: unknown, message: RegExp): Promise<void> => {
      await assert.rejects(migrate(given as never, options as never), (error: Error) => {
        assert.ok(error instanceof TypeError, String(error));
        assert.match(error.message, message);
        return true;
      });
    };
    const options = { migrationsFolder: "." };
    for (const other of [undefined, {}, db.$client, drizzleV1(db.$client)]) {
      await refused(
        other,
        options,
        /`db` must be what drizzle\(\) of @tangled\/rqlite-drizzle answers/,
      );
    }
    await refused(db, undefined, /migrationsFolder/);
    await refused(db, { ...options, migrationsSchema: "x" }, /no such option/);
    await db.$client.close();
  });
});

describe("migrate() of many processes", { skip: skipWithoutRqlited() }, () => {
  it("migrate() × 8 in four processes applies each migration once, also behind one that crashed", async () => {
    const server = await startRqlited();
    const db = drizzle(server.url);
    try {
      await withMigrations([FIRST, SECOND], async (folder) => {
        assert.equal(await runChild(server.url, folder, "crash"), 9);
        const children = Array.from({ length: 4 }, () => runChild(server.url, folder, "2"));
        assert.deepEqual(await Promise.all(children), [0, 0, 0, 0]);
      });
      assert.equal((await db.values(sql`SELECT * FROM __drizzle_migrations`)).length, 2);
      assert.deepEqual(await db.values(sql`SELECT * FROM cities`), [[1, "A;B", null], [2, "C", 7]]);
      const held = await db.values(sql`SELECT owner FROM _rqlite_lock WHERE owner IS NOT NULL`);
      assert.deepEqual(held, []);
    } finally {
      await db.$client.close();
      await server.stop();
    }
  });
});
