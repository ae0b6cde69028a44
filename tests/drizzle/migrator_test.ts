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

    test("refuses files that say nothing, or several things at once", async ({ db }) => {
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
        "",
        ProgrammingError,
        /migration 2 \(made 2023.*\) as its file holds no statement/,
      );
      await refused("-- Custom SQL migration file\n", ProgrammingError, /holds no statement/);
      await refused(`;${BREAK}/* nothing */`, ProgrammingError, /holds no statement/);
      await refused(
        "DROP TABLE cities; DROP TABLE users",
        ProgrammingError,
        /2 statements stand between/,
      );
      await refused(`BEGIN${BREAK}DROP TABLE cities`, ProgrammingError, /Cannot send BEGIN/);
      await refused("VACUUM", NotSupportedError, /Cannot send VACUUM in a transaction/);
      await refused("PRAGMA optimize", NotSupportedError, /Cannot send PRAGMA optimize in a trans/);
      await refused("PRAGMA journal_mode = WAL", NotSupportedError, /journal_mode/);
      await refused("PRAGMA foreign_keys = OFF", ProgrammingError, /holds no statement/);
      await refused("ATTACH 'x' AS y", NotSupportedError, /Cannot send ATTACH/);
      await refused("CREATE TABLE x(a", ProgrammingError, /./);
      const tables = await db.values(sql`SELECT name FROM sqlite_schema WHERE name = 'cities'`);
      assert.deepEqual(tables, [], "nothing was applied");
      await assert.rejects(migrate(db, { migrationsFolder: "/nowhere" }), /_journal\.json/);
    });

    test("splits files that were made without breakpoints", async ({ db }) => {
      const text = FIRST.replaceAll(BREAK, ";\n");
      await withMigrations([text], async (migrationsFolder) => {
        await migrate(db, { migrationsFolder });
        assert.deepEqual(await db.values(sql`SELECT * FROM cities`), [[1, "A;B"]]);
      }, false);
    });

    test("makes a table anew, unless rows that refer to it would be lost", async ({ db }) => {
      const rebuild = (table: string, columns: string): string =>
        [
          "PRAGMA foreign_keys=OFF;",
          `CREATE TABLE \`__new_${table}\` (${columns});`,
          `INSERT INTO \`__new_${table}\` SELECT * FROM \`${table}\`;`,
          `DROP TABLE \`${table}\`;`,
          `ALTER TABLE \`__new_${table}\` RENAME TO \`${table}\`;`,
          "PRAGMA foreign_keys=ON;",
        ].join("--> statement-breakpoint\n");
      await db.run(sql`INSERT INTO users(id, name) VALUES(1, 'Ada')`);
      await db.run(sql`INSERT INTO posts VALUES(1, 1, 'One')`);
      const posts = rebuild("posts", "id INTEGER PRIMARY KEY, author INTEGER, title TEXT");
      await withMigrations([posts], (migrationsFolder) => migrate(db, { migrationsFolder }));
      assert.deepEqual(await db.values(sql`SELECT * FROM posts`), [[1, 1, "One"]]);
      await db.run(sql`DROP TABLE __drizzle_migrations`);
      const users = rebuild("users", "id INTEGER PRIMARY KEY, name TEXT, a, b, c");
      const other = users.replace("DROP TABLE `", "-- the old one\nDROP TABLE IF EXISTS main.`");
      for (const file of [users, other]) {
        await withMigrations(
          [file],
          (migrationsFolder) =>
            assert.rejects(migrate(db, { migrationsFolder }), (error: Error) => {
              assert.ok(error instanceof NotSupportedError);
              assert.match(error.message, /makes users anew .* would change the rows of members/);
              return true;
            }),
        );
      }
    });
  });
}

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
