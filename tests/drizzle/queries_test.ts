// Every kind of query that Drizzle's SQLite dialect builds.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  and,
  asc,
  avg,
  count,
  countDistinct,
  desc,
  eq,
  exists,
  gt,
  inArray,
  like,
  max,
  not,
  or,
  sql,
  sum,
} from "drizzle-orm";
import {
  alias,
  except,
  integer,
  intersect,
  sqliteTable,
  union,
  unionAll,
} from "drizzle-orm/sqlite-core";
import { drizzle } from "../../packages/drizzle/mod.ts";
import { groups, posts, users } from "./schema.ts";
import { DRIZZLE_PLACES, type DrizzleWorld } from "./world.ts";

const people = async ({ db }: DrizzleWorld): Promise<void> => {
  await db.insert(users).values([
    { id: 1, name: "Ada", age: 36 },
    { id: 2, name: "Bob", age: 20, invitedBy: 1 },
    { id: 3, name: "Cy", invitedBy: 1 },
  ]);
  await db.insert(posts).values([
    { id: 1, author: 1, title: "One" },
    { id: 2, author: 1, title: "Two" },
    { id: 3, author: 2, title: "Three" },
  ]);
};

for (const place of DRIZZLE_PLACES) {
  const test = (name: string, body: (world: DrizzleWorld) => Promise<void>) =>
    it(name, () => place.run(body));

  describe(`queries of Drizzle on ${place.name}`, { skip: place.skip }, () => {
    test("select() filters, orders, limits, and answers all, get and values", async (world) => {
      const { db } = world;
      await people(world);
      const adults = db.select({ name: users.name, years: users.age }).from(users)
        .where(and(gt(users.age, 18), not(eq(users.name, "Nobody")))).orderBy(desc(users.age));
      assert.deepEqual(await adults, [{ name: "Ada", years: 36 }, { name: "Bob", years: 20 }]);
      assert.deepEqual(await adults.all(), await adults);
      assert.deepEqual(await adults.get(), { name: "Ada", years: 36 });
      assert.deepEqual(await adults.values(), [["Ada", 36], ["Bob", 20]]);
      const page = db.select({ id: users.id }).from(users).orderBy(asc(users.id)).limit(1).offset(
        1,
      );
      assert.deepEqual(await page, [{ id: 2 }]);
      const none = db.select().from(users).where(eq(users.id, 99));
      assert.equal(await none.get(), undefined);
      assert.deepEqual(await none.all(), []);
      assert.deepEqual(await db.selectDistinct({ by: users.invitedBy }).from(users), [
        { by: null },
        { by: 1 },
      ]);
      const some = db.select({ id: users.id }).from(users)
        .where(or(inArray(users.id, [1, 3]), like(users.name, "B%")));
      assert.equal((await some).length, 3);
    });

    test("insert(), update() and delete() report rows, ids and RETURNING", async ({ db }) => {
      const first = await db.insert(users).values({ name: "Ada" });
      assert.deepEqual([first.rowsAffected, first.lastInsertId], [1, 1]);
      assert.equal(first.lastInsertRowid, 1);
      assert.deepEqual({ ...first }.lastInsertRowid, 1);
      const returned = await db.insert(users).values([{ name: "Bob" }, { name: "Cy" }])
        .returning({ id: users.id });
      assert.deepEqual(returned, [{ id: 2 }, { id: 3 }]);
      const copied = await db.insert(groups)
        .select(db.select({ id: users.id, name: users.name }).from(users)).returning();
      assert.equal(copied.length, 3);
      const updated = await db.update(users).set({ name: sql`upper(${users.name})` })
        .where(gt(users.id, 1));
      assert.equal(updated.rowsAffected, 2);
      const changed = await db.update(users).set({ age: 50 }).where(eq(users.id, 1)).returning();
      assert.deepEqual(changed, [{ id: 1, name: "Ada", email: null, age: 50, invitedBy: null }]);
      const [old] = await db.update(users).set({ name: groups.name }).from(groups)
        .where(and(eq(groups.id, users.id), eq(users.id, 2))).returning({ name: users.name });
      assert.deepEqual(old, { name: "Bob" });
      assert.equal((await db.delete(users).where(eq(users.id, 1)).returning()).length, 1);
      assert.equal((await db.delete(users)).rowsAffected, 2);
    });

    test("insert() with onConflict ignores or updates", async ({ db }) => {
      await db.insert(users).values({ id: 1, name: "Ada", email: "a@x" });
      const ignored = await db.insert(users).values({ id: 1, name: "No" }).onConflictDoNothing();
      assert.deepEqual([ignored.rowsAffected, ignored.lastInsertId], [0, undefined]);
      const [row] = await db.insert(users).values({ name: "Eve", email: "a@x" })
        .onConflictDoUpdate({
          target: users.email,
          set: { name: sql`excluded.name || '!'` },
          setWhere: eq(users.id, 1),
        }).returning({ id: users.id, name: users.name });
      assert.deepEqual(row, { id: 1, name: "Eve!" });
    });

    test("joins keep columns of one name apart, and absent sides null", async (world) => {
      const { db } = world;
      await people(world);
      const rows = await db.select().from(users).leftJoin(posts, eq(posts.author, users.id))
        .orderBy(users.id, posts.id);
      assert.equal(rows.length, 4);
      assert.deepEqual(rows[0], {
        users: { id: 1, name: "Ada", email: null, age: 36, invitedBy: null },
        posts: { id: 1, author: 1, title: "One" },
      });
      assert.equal(rows[3]!.posts, null);
      const inviter = alias(users, "inviter");
      const pairs = await db.select({ name: users.name, by: inviter.name }).from(users)
        .innerJoin(inviter, eq(users.invitedBy, inviter.id)).orderBy(users.id);
      assert.deepEqual(pairs, [{ name: "Bob", by: "Ada" }, { name: "Cy", by: "Ada" }]);
      const right = await db.select().from(posts).rightJoin(users, eq(posts.author, users.id));
      assert.equal(right.filter((row) => row.posts === null).length, 1);
      const full = await db.select().from(posts).fullJoin(users, eq(posts.author, users.id));
      assert.equal(full.length, 4);
    });

    test("aggregates, groups, subqueries and $count()", async (world) => {
      const { db } = world;
      await people(world);
      const [all] = await db.select({
        n: count(),
        authors: countDistinct(posts.author),
        sum: sum(posts.id),
        mean: avg(posts.id),
        last: max(posts.title),
      }).from(posts);
      assert.deepEqual(all, { n: 3, authors: 2, sum: "6", mean: "2", last: "Two" });
      const busy = await db.select({ author: posts.author, n: count() }).from(posts)
        .groupBy(posts.author).having(({ n }) => gt(n, 1));
      assert.deepEqual(busy, [{ author: 1, n: 2 }]);
      const writers = db.select().from(users)
        .where(exists(db.select().from(posts).where(eq(posts.author, users.id))));
      assert.equal((await writers).length, 2);
      const top = db.select({ n: count().as("n"), author: posts.author }).from(posts)
        .groupBy(posts.author).as("top");
      const joined = await db.select({ name: users.name, n: top.n }).from(top)
        .innerJoin(users, eq(users.id, top.author)).orderBy(desc(top.n));
      assert.deepEqual(joined, [{ name: "Ada", n: 2 }, { name: "Bob", n: 1 }]);
      assert.equal(await db.$count(users), 3);
      const counted = await db.select({
        id: users.id,
        n: db.$count(posts, eq(posts.author, users.id)),
      })
        .from(users);
      assert.deepEqual(counted.map(({ n }) => n), [2, 1, 0]);
    });

    test("common table expressions before every kind of query", async (world) => {
      const { db } = world;
      await people(world);
      const old = db.$with("old").as(db.select().from(users).where(gt(users.age, 30)));
      assert.deepEqual(await db.with(old).select({ name: old.name }).from(old), [{ name: "Ada" }]);
      const chosen = db.select({ id: old.id }).from(old);
      const updated = await db.with(old).update(users).set({ age: 99 })
        .where(inArray(users.id, chosen)).returning({ id: users.id });
      assert.deepEqual(updated, [{ id: 1 }]);
      const inserted = await db.with(old).insert(users)
        .values({ name: sql`(SELECT name FROM old) || ' II'` }).returning({ name: users.name });
      assert.deepEqual(inserted, [{ name: "Ada II" }]);
      const gone = await db.with(old).delete(users).where(inArray(users.id, chosen)).returning();
      assert.equal(gone.length, 1);
    });

    test("set operations", async (world) => {
      const { db } = world;
      await people(world);
      const invited = () =>
        db.select({ name: users.name }).from(users).where(eq(users.invitedBy, 1));
      const aged = () => db.select({ name: users.name }).from(users).where(gt(users.age, 0));
      const names = (rows: { name: string }[]) => rows.map(({ name }) => name).sort();
      assert.deepEqual(names(await union(invited(), aged())), ["Ada", "Bob", "Cy"]);
      assert.deepEqual(names(await unionAll(invited(), aged())), ["Ada", "Bob", "Bob", "Cy"]);
      assert.deepEqual(names(await intersect(invited(), aged())), ["Bob"]);
      assert.deepEqual(names(await except(invited(), aged())), ["Cy"]);
    });

    test("prepared queries take placeholders, again and again", async (world) => {
      const { db } = world;
      await people(world);
      const byName = db.select({ id: users.id }).from(users)
        .where(eq(users.name, sql.placeholder("name"))).prepare();
      assert.deepEqual(await byName.all({ name: "Ada" }), [{ id: 1 }]);
      assert.deepEqual(await byName.get({ name: "Bob" }), { id: 2 });
      assert.deepEqual(await byName.values({ name: "Cy" }), [[3]]);
      assert.deepEqual(await byName.execute({ name: "None" }), []);
      const add = db.insert(groups).values({ name: sql.placeholder("name") }).prepare();
      assert.equal((await add.run({ name: "Chess" })).rowsAffected, 1);
      await assert.rejects(byName.all({}), /No value for placeholder "name"/);
    });

    test("raw SQL by run, all, get and values, with its columns as they come", async (world) => {
      const { db, logged } = world;
      await people(world);
      logged.length = 0;
      const where = sql`FROM ${users} WHERE ${users.id} = ${1}`;
      assert.deepEqual(await db.all(sql`SELECT id, name ${where}`), [{ id: 1, name: "Ada" }]);
      assert.deepEqual(await db.get(sql`SELECT name ${where}`), { name: "Ada" });
      assert.deepEqual(await db.values(sql`SELECT id, id ${where}`), [[1, 1]]);
      assert.equal(await db.get(sql`SELECT 1 WHERE 0`), undefined);
      const run = await db.run(sql`UPDATE users SET age = 40 WHERE id = ${1}`);
      assert.equal(run.rowsAffected, 1);
      assert.deepEqual((await db.run("SELECT 7 AS n")).rows, [{ n: 7 }]);
      assert.deepEqual(await db.all("PRAGMA table_info(groups)").then((rows) => rows.length), 2);
      await db.run(sql`CREATE TABLE flags(flag BOOLEAN)`);
      await db.run(sql`INSERT INTO flags VALUES(1), (0), (NULL)`);
      assert.deepEqual(await db.values(sql`SELECT flag FROM flags`), [[1], [0], [null]]);
      assert.equal(logged.length, 10);
      assert.equal(logged[3], "SELECT 1 WHERE 0");
    });

    test("casing turns names of columns into snake_case", async ({ db }) => {
      await db.run(sql`CREATE TABLE trips(id INTEGER PRIMARY KEY, start_time INTEGER)`);
      const trips = sqliteTable("trips", { id: integer().primaryKey(), startTime: integer() });
      const snake = drizzle({ client: db.$client, casing: "snake_case" });
      assert.deepEqual(await snake.insert(trips).values({ startTime: 5 }).returning(), [
        { id: 1, startTime: 5 },
      ]);
    });

    test("errors carry their code and come at their own await", async ({ db }) => {
      await db.insert(users).values({ id: 1, name: "Ada", email: "a@x" });
      const refused = async (query: PromiseLike<unknown>, code: string): Promise<void> => {
        await assert.rejects(async () => await query, (error: Error) => {
          assert.equal(error.constructor.name, "DrizzleQueryError");
          assert.equal((error.cause as { code: string }).code, code);
          return true;
        });
      };
      const taken = db.insert(users).values({ name: "Bob", email: "a@x" });
      await refused(taken, "SQLITE_CONSTRAINT_UNIQUE");
      await refused(taken.returning(), "SQLITE_CONSTRAINT_UNIQUE");
      await refused(db.insert(users).values({ name: "X", age: 3 }), "SQLITE_CONSTRAINT_CHECK");
      const orphan = db.insert(posts).values({ author: 9, title: "?" });
      await refused(orphan, "SQLITE_CONSTRAINT_FOREIGNKEY");
      await refused(db.run(sql`INSERT INTO users(id) VALUES(5)`), "SQLITE_CONSTRAINT_NOTNULL");
      await refused(db.all(sql`SELECT * FROM nowhere`), "SQLITE_ERROR");
      await refused(db.run(sql`BEGIN`), "ERR_PROGRAMMING");
      await refused(db.run(sql`SELECT 1; SELECT 2`), "ERR_PROGRAMMING");
      assert.equal(await db.$count(users), 1);
    });
  });
}
