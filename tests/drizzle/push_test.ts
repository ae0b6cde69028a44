// drizzle-kit's push, by its programmatic API, which asks only for db.all and db.run.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pushSQLiteSchema } from "drizzle-kit/api";
import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { drizzle, forDrizzleKit, type RqliteDatabase } from "../../packages/drizzle/mod.ts";
import { RqliteLock } from "../../src/locks/rqlite.ts";
import { DRIZZLE_PLACES } from "./world.ts";

/** What the documentation shows; drizzle-kit's type names another driver. */
async function push(schema: Record<string, unknown>, db: RqliteDatabase): Promise<string[]> {
  const { statementsToExecute, apply } = await pushSQLiteSchema(schema, forDrizzleKit(db) as never);
  await apply();
  return statementsToExecute;
}

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

const retyped = sqliteTable("cities", { id: integer().primaryKey(), name: text() });

for (const place of DRIZZLE_PLACES) {
  describe(`drizzle-kit's push on ${place.name}`, { skip: place.skip }, () => {
    it("creates tables, then adds what was added, then finds nothing to do", () =>
      place.run(async ({ db: { $client } }) => {
        const db = drizzle($client);
        for (const table of ["members", "posts", "users", "groups", "all_values"]) {
          await db.run(`DROP TABLE ${table}`);
        }
        assert.equal((await push({ cities }, db)).length, 1);
        await db.insert(cities).values({ id: 1 });
        const statements = await push({ grown, streets }, db);
        assert.ok(statements.some((one) => one.startsWith("ALTER TABLE `cities` ADD `people`")));
        // Another one, as Drizzle remembers the columns of a table by its name.
        const later = drizzle($client);
        assert.deepEqual(await later.select().from(grown), [{ id: 1, name: "?", people: null }]);
        assert.deepEqual(await push({ grown, streets }, db), []);
      }));

    it("makes no table anew that others refer to where foreign keys are enforced", () =>
      place.run(async ({ db: { $client } }) => {
        const db = drizzle($client);
        for (const table of ["members", "posts", "users", "groups", "all_values"]) {
          await db.run(`DROP TABLE ${table}`);
        }
        await push({ cities, streets }, db);
        const refused = push({ streets, retyped }, db);
        await assert.rejects(refused, ({ cause }: Error) => /foreign_keys .* -fk/.test(`${cause}`));
        assert.deepEqual(await db.values("PRAGMA foreign_keys"), [[1]]);
      }));

    it("leaves the tables alone that clients keep for themselves", () =>
      place.run(async ({ db: { $client } }) => {
        const db = drizzle($client);
        for (const table of ["members", "posts", "users", "groups", "all_values"]) {
          await db.run(`DROP TABLE ${table}`);
        }
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
