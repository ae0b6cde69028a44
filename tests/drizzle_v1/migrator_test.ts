// Migrations of Drizzle 1.0: by name, each once, all or nothing, by many at once; and tables that Drizzle 0.x has written.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { sql } from "drizzle-orm-v1";
import { IntegrityError, NotSupportedError, ProgrammingError } from "../../mod.ts";
import { drizzle as drizzle045 } from "../../packages/drizzle/mod.ts";
import { migrate as migrate045 } from "../../packages/drizzle/migrator.ts";
import { drizzle } from "../../packages/drizzle-v1/mod.ts";
import { migrate } from "../../packages/drizzle-v1/migrator.ts";
import { withMigrations as withMigrations045 } from "../drizzle/migrations_folder.ts";
import { skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";
import { nameOf, timeOf, withMigrations } from "./migrations_folder.ts";
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

const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex");

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
  const notes = (db: DrizzleWorld["db"]) =>
    db.all(sql`SELECT id, hash, created_at, name FROM __drizzle_migrations ORDER BY id`);

  describe(`migrate() of Drizzle 1.0 on ${place.name}`, { skip: place.skip }, () => {
    test("applies what is new, once, and notes it as Drizzle does", async ({ db, network }) => {
      await withMigrations([FIRST], async (migrationsFolder, write) => {
        await migrate(db, { migrationsFolder });
        assert.deepEqual(await db.values(sql`SELECT * FROM cities`), [[1, "A;B"]]);
        write(SECOND, nameOf(1));
        await migrate(db, { migrationsFolder });
        const before = network.requests.length;
        await migrate(db, { migrationsFolder });
        // First what a client asks before it writes, as the migrations before have changed the schema.
        assert.deepEqual(network.requests.slice(before), [
          ...["/db/query", "/db/execute", "/db/query", "/db/query"],
        ]);
        assert.deepEqual(await db.values(sql`SELECT * FROM cities`), [[1, "A;B", null], [
          2,
          "C",
          7,
        ]]);
        assert.deepEqual(await notes(db), [
          { id: 1, hash: hashOf(FIRST), created_at: timeOf(0), name: nameOf(0) },
          { id: 2, hash: hashOf(SECOND), created_at: timeOf(1), name: nameOf(1) },
        ]);
        const [[applied] = []] = await db.values(
          sql`SELECT applied_at FROM __drizzle_migrations`,
        );
        assert.match(String(applied), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
        const migrationsTable = 'my "own"';
        await db.run(sql`DROP TABLE cities`);
        await migrate(db, { migrationsFolder, migrationsTable });
        assert.equal(await db.$count(sql`${sql.identifier(migrationsTable)}`), 2);
      });
    });

    test("applies one that was made before others, as a merge brings it", async ({ db }) => {
      await withMigrations([FIRST], async (migrationsFolder, write) => {
        write(SECOND, nameOf(2));
        await migrate(db, { migrationsFolder });
        write("INSERT INTO cities(id, name) VALUES (3, 'd')", nameOf(1));
        await migrate(db, { migrationsFolder });
        const names = (await notes(db)).map(({ name }) => name);
        assert.deepEqual(names, [nameOf(0), nameOf(2), nameOf(1)]);
        assert.equal(await db.$count(sql`cities`), 3);
      });
    });

    test("keeps nothing where a statement fails", async ({ db }) => {
      const failing =
        `INSERT INTO cities VALUES (9, 'x', 1)${BREAK}INSERT INTO cities VALUES (9, 'x', 1)`;
      await withMigrations([FIRST, SECOND, failing], async (migrationsFolder, write) => {
        await assert.rejects(migrate(db, { migrationsFolder }), (error: Error) => {
          assert.ok(error instanceof IntegrityError, String(error));
          assert.match(error.sql!, /INSERT INTO cities VALUES \(9/);
          return true;
        });
        const tables = await db.values(sql`SELECT name FROM sqlite_schema WHERE name = 'cities'`);
        assert.deepEqual(tables, []);
        assert.deepEqual(await notes(db), []);
        write("-- nothing any more", nameOf(2));
        await migrate(db, { migrationsFolder });
        assert.equal((await notes(db)).length, 3);
      });
    });

    test("splits files that were made without breakpoints", async ({ db }) => {
      await withMigrations([FIRST.replaceAll(BREAK, ";\n")], async (migrationsFolder) => {
        await migrate(db, { migrationsFolder });
        assert.deepEqual(await db.values(sql`SELECT * FROM cities`), [[1, "A;B"]]);
      });
    });

    test("refuses what no transaction can do, and folders that are none of its own", async ({ db }) => {
      type Kind = typeof ProgrammingError | typeof NotSupportedError;
      const refused = (migrationsFolder: string, type: Kind, message: RegExp) =>
        assert.rejects(migrate(db, { migrationsFolder }), (error: Error) => {
          assert.ok(error instanceof type, String(error));
          assert.match(error.message, message);
          return true;
        });
      const begin = `BEGIN${BREAK}DROP TABLE cities`;
      await withMigrations(
        [FIRST, begin],
        (f) => refused(f, ProgrammingError, /Cannot send BEGIN/),
      );
      await withMigrations([FIRST, "VACUUM"], (f) => refused(f, NotSupportedError, /VACUUM/));
      await withMigrations([FIRST], async (folder, write) => {
        write(SECOND, "second");
        await refused(folder, ProgrammingError, /migration second .* begin with the time/);
      });
      await withMigrations([FIRST], async (folder) => {
        mkdirSync(`${folder}/meta`);
        writeFileSync(`${folder}/meta/_journal.json`, "{}");
        await refused(folder, ProgrammingError, /drizzle-kit up.* @tangled\/rqlite-drizzle$/);
      });
      await refused("/nowhere", ProgrammingError, /ENOENT/);
      const tables = await db.values(sql`SELECT name FROM sqlite_schema WHERE name = 'cities'`);
      assert.deepEqual(tables, [], "nothing was applied");
    });

    test("makes a table anew, unless rows that refer to it would be lost", async ({ db }) => {
      const rebuild = [
        "PRAGMA foreign_keys=OFF;",
        "CREATE TABLE `__new_users` (id INTEGER PRIMARY KEY, name TEXT);",
        "INSERT INTO `__new_users`(`id`, `name`) SELECT `id`, `name` FROM `users`;",
        "DROP TABLE `users`;",
        "ALTER TABLE `__new_users` RENAME TO `users`;",
        "PRAGMA foreign_keys=ON;",
      ].join("--> statement-breakpoint\n");
      await db.run(sql`INSERT INTO users(id, name) VALUES(1, 'Ada')`);
      const fill = "INSERT INTO posts VALUES(1, 1, 'One')";
      await withMigrations([fill, rebuild], async (migrationsFolder) => {
        await assert.rejects(migrate(db, { migrationsFolder }), (error: Error) => {
          assert.ok(error instanceof NotSupportedError, String(error));
          assert.match(error.message, /makes users anew .* would change the rows of posts/);
          return true;
        });
      });
      assert.equal(await db.$count(sql`posts`), 0);
      await withMigrations([rebuild], (migrationsFolder) => migrate(db, { migrationsFolder }));
      assert.deepEqual(await db.values(sql`SELECT * FROM users`), [[1, "Ada"]]);
    });

    test("takes over a table that Drizzle 0.x has written, once", async ({ db, network }) => {
      const old = drizzle045(db.$client);
      await withMigrations045(
        [FIRST, "-- custom"],
        (migrationsFolder) => migrate045(old, { migrationsFolder }),
      );
      await withMigrations([], async (migrationsFolder, write) => {
        // drizzle-kit up names folders by the second; both of these were made in one.
        write("-- custom", "20231114221320_custom");
        write(FIRST, "20231114221320_first");
        write(SECOND, nameOf(1));
        await Promise.all([migrate(db, { migrationsFolder }), migrate(db, { migrationsFolder })]);
        const names = (await notes(db)).map(({ name }) => name);
        assert.deepEqual(names, ["20231114221320_first", "20231114221320_custom", nameOf(1)]);
        assert.equal(await db.$count(sql`cities`), 2);
        const before = network.requests.length;
        await migrate(db, { migrationsFolder });
        assert.ok(network.requests.length - before <= 4, "nothing is left to do");
        // One that still runs the earlier version notes no name.
        write("INSERT INTO cities VALUES(1, 'again', 0)", "20270102030405_by_the_old_one");
        await db.run(sql`INSERT INTO __drizzle_migrations(hash, created_at)
          VALUES('x', ${Date.UTC(2027, 0, 2, 3, 4, 5) + 7})`);
        await migrate(db, { migrationsFolder });
        assert.equal((await notes(db))[3]!.name, "20270102030405_by_the_old_one");
      });
    });

    test("refuses a table of Drizzle 0.x that knows more than the folder", async ({ db }) => {
      await withMigrations045(
        [FIRST, "-- custom"],
        (migrationsFolder) => migrate045(drizzle045(db.$client), { migrationsFolder }),
      );
      await withMigrations([], async (migrationsFolder, write) => {
        write(FIRST, nameOf(0));
        await assert.rejects(migrate(db, { migrationsFolder }), (error: Error) => {
          assert.ok(error instanceof ProgrammingError);
          assert.match(error.message, /migrations with id 2 in it .*drizzle-kit up/);
          return true;
        });
        const columns = await db.values(
          sql`SELECT * FROM pragma_table_info('__drizzle_migrations')`,
        );
        assert.equal(columns.length, 3);
        write("-- custom", nameOf(5));
        await migrate(db, { migrationsFolder });
        assert.deepEqual((await notes(db)).map(({ name }) => name), [nameOf(0), nameOf(5)]);
      });
    });
  });
}

describe("migrate() of Drizzle 1.0", () => {
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
    for (const other of [undefined, {}, db.$client, drizzle045(db.$client)]) {
      await refused(other, options, /`db` must be what drizzle\(\) of @tangled\/rqlite-drizzle-v1/);
    }
    await refused(db, undefined, /migrationsFolder/);
    await refused(db, { migrationsFolder: "" }, /migrationsFolder/);
    await refused(db, { ...options, migrationsTabel: "x" }, /did you mean `migrationsTable`/);
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
      assert.equal(await db.$count(sql`__drizzle_migrations`), 2);
      assert.deepEqual(await db.values(sql`SELECT * FROM cities`), [[1, "A;B", null], [2, "C", 7]]);
      const held = await db.values(sql`SELECT owner FROM _rqlite_lock WHERE owner IS NOT NULL`);
      assert.deepEqual(held, []);
    } finally {
      await db.$client.close();
      await server.stop();
    }
  });
});
