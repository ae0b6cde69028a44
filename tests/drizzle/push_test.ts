// drizzle-kit's push, by its programmatic API, which asks only for db.all and db.run.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pushSQLiteSchema } from "drizzle-kit/api";
import { sql } from "drizzle-orm";
import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { type Client, IntegrityError, NotSupportedError } from "../../mod.ts";
import { drizzle, forDrizzleKit, type RqliteDatabase } from "../../packages/drizzle/mod.ts";
import { RqliteLock } from "../../src/locks/rqlite.ts";
import { DRIZZLE_PLACES } from "./world.ts";

/** What the documentation shows; drizzle-kit's type names another driver. */
async function push(schema: Record<string, unknown>, db: RqliteDatabase): Promise<string[]> {
  const { statementsToExecute, apply } = await pushSQLiteSchema(schema, forDrizzleKit(db) as never);
  await apply();
  return statementsToExecute;
}

async function empty(client: Client): Promise<RqliteDatabase> {
  const db = drizzle(client);
  for (const table of ["members", "posts", "users", "groups", "all_values"]) {
    await db.run(`DROP TABLE ${table}`);
  }
  return db;
}

const causeOf = (error: Error): unknown => error.cause ?? error;

const cities = sqliteTable("cities", {
  id: integer().primaryKey(),
  name: text().notNull().default("?"),
});
const grown = sqliteTable("cities", {
  id: integer().primaryKey(),
  name: text().notNull().default("?"),
  people: integer(),
}, (t) => [index("cities_people").on(t.people)]);
const streets = sqliteTable("streets", {
  id: integer().primaryKey(),
  city: integer().references(() => grown.id),
});

const strange = sqliteTable("streets", { id: integer().primaryKey(), city: text() });
const houses = sqliteTable("houses", {
  city: integer().references(() => cities.id, { onDelete: "cascade" }),
});

const retyped = sqliteTable("cities", { id: integer().primaryKey(), name: text() });

for (const place of DRIZZLE_PLACES) {
  describe(`drizzle-kit's push on ${place.name}`, { skip: place.skip }, () => {
    it("creates tables, then adds what was added, then finds nothing to do", () =>
      place.run(async ({ db: { $client } }) => {
        const db = await empty($client);
        assert.equal((await push({ cities }, db)).length, 1);
        await db.insert(cities).values({ id: 1 });
        const statements = await push({ grown, streets }, db);
        assert.ok(statements.some((one) => one.startsWith("ALTER TABLE `cities` ADD `people`")));
        // Another one, as Drizzle remembers the columns of a table by its name.
        const later = drizzle($client);
        assert.deepEqual(await later.select().from(grown), [{ id: 1, name: "?", people: null }]);
        assert.deepEqual(await push({ grown, streets }, db), []);
      }));

    it("makes a table anew as one unit, also where others without rows refer to it", () =>
      place.run(async ({ db: { $client }, network }) => {
        const db = await empty($client);
        await push({ cities, streets }, db);
        await db.insert(cities).values({ id: 1, name: "Rome" });
        const before = network.requests.length;
        const statements = await push({ streets, retyped }, db);
        assert.ok(statements.includes("PRAGMA foreign_keys=OFF;"));
        assert.ok(statements.includes("DROP TABLE `cities`;"));
        assert.ok(network.requests.length > before);
        assert.deepEqual(await db.select().from(retyped), [{ id: 1, name: "Rome" }]);
        // Where nothing refers to it, drizzle-kit does not turn foreign keys off.
        const alone = await push({ streets: strange, retyped }, db);
        assert.ok(alone.some((one) => one.includes("`__new_streets`")));
        assert.deepEqual(await push({ streets: strange, retyped }, db), []);
      }));

    it("copies no column that is new, whose name SQLite would take for a text", () =>
      place.run(async ({ db: { $client } }) => {
        const db = await empty($client);
        await push({ cities }, db);
        await db.insert(cities).values({ id: 1, name: "Rome" });
        const wider = sqliteTable("cities", {
          id: integer().primaryKey(),
          name: text(),
          mayor: text(),
          people: integer().notNull().default(7),
        });
        const statements = await push({ wider }, db);
        assert.ok(
          statements.some((one) => one.includes('"mayor", "people" FROM')),
          `${statements}`,
        );
        const later = drizzle($client);
        const rows = await later.select().from(wider);
        assert.deepEqual(rows, [{ id: 1, name: "Rome", mayor: null, people: 7 }]);
      }));

    it("makes no table anew where rows that refer to it would be lost, and keeps nothing of it", () =>
      place.run(async ({ db: { $client } }) => {
        const db = await empty($client);
        await push({ cities, houses }, db);
        await db.insert(cities).values({ id: 1 });
        await db.insert(houses).values({ city: 1 });
        await assert.rejects(push({ houses, retyped }, db), (error: Error) => {
          assert.ok(error instanceof NotSupportedError, String(error));
          assert.match(error.message, /the push .* cities anew .* rows of houses/);
          return true;
        });
        const made = await db.values("SELECT name FROM sqlite_schema WHERE name GLOB '__new_*'");
        assert.deepEqual(made, []);
        assert.equal(await db.$count(houses), 1);
        // As drizzle-kit writes it where no table of the schema refers to this one.
        const target = forDrizzleKit(db);
        await target.run(sql.raw("CREATE TABLE `__new_cities` (`id` integer PRIMARY KEY)"));
        await target.run(sql.raw("DROP TABLE `cities`"));
        const renamed = target.run(sql.raw("ALTER TABLE `__new_cities` RENAME TO `cities`"));
        await assert.rejects(renamed, NotSupportedError);
        assert.equal(await db.$count(houses), 1);
        const lone = sqliteTable("houses", { city: integer() });
        await push({ retyped, lone }, db);
        assert.equal(await db.$count(houses), 1);
        assert.deepEqual(await db.values("PRAGMA foreign_keys"), [[1]]);
      }));

    it("keeps nothing of a table whose rows do not fit its new form", () =>
      place.run(async ({ db: { $client } }) => {
        const db = await empty($client);
        await push({ retyped }, db);
        await db.insert(retyped).values({ id: 1, name: null });
        await assert.rejects(push({ cities }, db), (error: Error) => {
          assert.ok(causeOf(error) instanceof IntegrityError, String(error));
          return true;
        });
        assert.deepEqual(await db.select().from(retyped), [{ id: 1, name: null }]);
        const made = await db.values("SELECT name FROM sqlite_schema WHERE name GLOB '__new_*'");
        assert.deepEqual(made, []);
      }));

    it("leaves the tables alone that clients keep for themselves", () =>
      place.run(async ({ db: { $client } }) => {
        const db = await empty($client);
        const handle = await new RqliteLock({ name: "push", client: $client }).acquire();
        await handle.release();
        await db.transaction(async (tx) => void await tx.run("CREATE TABLE passing(n)"));
        await db.run("DROP TABLE passing");
        await push({ cities }, db);
        const { rows } = await $client.query(
          "SELECT count(*) AS n FROM sqlite_schema WHERE name IN ('_rqlite_lock', '_rqlite_commit')",
        );
        assert.deepEqual(rows, [{ n: 2 }]);
      }));
  });
}
