// What each kind of write does and answers.
import assert from "node:assert/strict";
import { it } from "node:test";
import { type Kysely, sql } from "kysely";
import { type Database, fill, names, type Topic } from "./target.ts";

export const writes: Topic = (target) => {
  const write = (name: string, test: (db: Kysely<Database>) => Promise<void>) => {
    it(name, async () => await test(await fill(target())));
    it(`${name}, also in a transaction`, async () => {
      const db = await fill(target());
      await db.transaction().execute(test);
    });
  };

  write("insertInto() answers the id and count as bigint", async (db) => {
    const result = await db.insertInto("users").values({ name: "Dan" }).executeTakeFirstOrThrow();
    assert.deepEqual({ ...result }, { insertId: 4n, numInsertedOrUpdatedRows: 1n });
  });

  write(
    "insertInto() answers no id of a table WITHOUT ROWID, and that of an upsert that inserted",
    async (db) => {
      await db.insertInto("tags").values({ name: "newer" }).execute();
      const tagged = await db.insertInto("post_tags").values({ post: 2, tag: 3 })
        .executeTakeFirstOrThrow();
      assert.deepEqual({ ...tagged }, { insertId: undefined, numInsertedOrUpdatedRows: 1n });
      const upsert = (name: string) =>
        db.insertInto("users").values({ name })
          .onConflict((on) => on.column("name").doUpdateSet({ age: 1 }))
          .executeTakeFirstOrThrow();
      assert.equal((await upsert("Dan")).insertId, 4n);
      assert.equal((await upsert("Dan")).insertId, undefined);
    },
  );

  write("insertInto() takes several rows, expressions and missing values", async (db) => {
    const result = await db.insertInto("users").values([
      { name: "Dan", age: sql<number>`6 * 7` },
      { name: "Eve" },
    ]).executeTakeFirstOrThrow();
    assert.equal(result.numInsertedOrUpdatedRows, 2n);
    const rows = await db.selectFrom("users").select(["name", "age"]).where("id", ">", 3).execute();
    assert.deepEqual(rows, [{ name: "Dan", age: 42 }, { name: "Eve", age: null }]);
  });

  write("insertInto() takes a query and default values", async (db) => {
    await db.insertInto("tags").columns(["name"]).expression(
      db.selectFrom("users").select("name").where("id", "<", 3),
    ).execute();
    await db.insertInto("things").defaultValues().execute();
    const { n } = await db.selectFrom("tags").select((eb) => eb.fn.countAll<number>().as("n"))
      .executeTakeFirstOrThrow();
    assert.equal(n, 4);
  });

  write("insertInto().ignore() and doNothing() answer a count of 0 and no id", async (db) => {
    const row = { name: "Ada" };
    const ignored = await db.insertInto("users").orIgnore().values(row).executeTakeFirstOrThrow();
    const skipped = await db.insertInto("users").values(row)
      .onConflict((oc) => oc.column("name").doNothing()).executeTakeFirstOrThrow();
    for (const result of [ignored, skipped]) {
      assert.deepEqual({ ...result }, { insertId: undefined, numInsertedOrUpdatedRows: 0n });
    }
  });

  write("onConflict().doUpdateSet() updates, on a condition", async (db) => {
    const upsert = (age: number) =>
      db.insertInto("users").values({ name: "Ada", age }).onConflict((oc) =>
        oc.column("name").doUpdateSet((eb) => ({ age: eb.ref("excluded.age") }))
          .where("users.age", "<", age)
      ).returning(["id", "age"]).execute();
    assert.deepEqual(await upsert(40), [{ id: 1, age: 40 }]);
    assert.deepEqual(await upsert(30), []);
    const updated = await db.insertInto("users").values({ name: "Ada", age: 1 })
      .onConflict((oc) => oc.column("name").doUpdateSet({ age: 50 })).executeTakeFirstOrThrow();
    assert.deepEqual({ ...updated }, { insertId: undefined, numInsertedOrUpdatedRows: 1n });
  });

  write("replaceInto() replaces", async (db) => {
    const result = await db.replaceInto("tags").values({ id: 9, name: "newer" })
      .executeTakeFirstOrThrow();
    assert.equal(result.insertId, 9n);
  });

  write("updateTable() answers the count, and knows from() and expressions", async (db) => {
    const result = await db.updateTable("users").set((eb) => ({ age: eb("age", "+", 1) }))
      .where("age", "is not", null).executeTakeFirstOrThrow();
    assert.equal(result.numUpdatedRows, 2n);
    await db.updateTable("posts").from("users").set({ title: sql`users.name || '!'` })
      .whereRef("users.id", "=", "posts.author").where("posts.id", "=", 3).execute();
    const row = await db.selectFrom("posts").select("title").where("id", "=", 3).executeTakeFirst();
    assert.deepEqual(row, { title: "Bob!" });
  });

  write("deleteFrom() answers the count, and cascades", async (db) => {
    const none = await db.deleteFrom("users").where("id", "=", 99).executeTakeFirstOrThrow();
    assert.equal(none.numDeletedRows, 0n);
    const one = await db.deleteFrom("users").where("name", "=", "Ada").executeTakeFirstOrThrow();
    assert.equal(one.numDeletedRows, 1n);
    const posts = await db.selectFrom("posts").select("id").execute();
    assert.deepEqual(posts, [{ id: 3 }]);
  });

  write("with() in front of a write", async (db) => {
    await db.with("young", (qb) => qb.selectFrom("users").select("id").where("age", "<", 30))
      .deleteFrom("users").where("id", "in", (eb) => eb.selectFrom("young").select("young.id"))
      .execute();
    assert.deepEqual(await names(db), ["Ada", "Cleo"]);
  });

  write("returning() answers rows of INSERT, UPDATE and DELETE", async (db) => {
    const inserted = await db.insertInto("users").values([{ name: "Dan" }, { name: "Eve" }])
      .returning(["id", "name"]).execute();
    assert.deepEqual(inserted, [{ id: 4, name: "Dan" }, { id: 5, name: "Eve" }]);
    const updated = await db.updateTable("users").set({ age: 1 }).where("id", "=", 4)
      .returningAll().executeTakeFirst();
    assert.deepEqual(updated, { id: 4, name: "Dan", age: 1, active: 1 });
    const deleted = await db.deleteFrom("users").where("id", ">", 3).returning("name as gone")
      .execute();
    assert.deepEqual(deleted.map(({ gone }) => gone).sort(), ["Dan", "Eve"]);
  });

  write("returning() answers what servers' parsers overlook", async (db) => {
    const inserted = await db.insertInto("users").values({
      name: (eb) => eb.selectFrom("tags").select("name").where("id", "=", 1),
      age: sql<number>`case when 1 then 2 end`,
    }).returning((eb) => [
      eb.selectFrom("posts").select((eb) => eb.fn.countAll<number>().as("n")).as("posts"),
      sql<string>`name collate nocase`.as("name"),
      sql<number>`age | 4`.as("age"),
    ]).execute();
    assert.deepEqual(inserted, [{ posts: 3, name: "new", age: 6 }]);
    const updated = await db.updateTable("posts").from("users").set({ title: sql`users.name` })
      .whereRef("users.id", "=", "posts.author").where("posts.id", "=", 1)
      .returning(["posts.id", "title"]).execute();
    assert.deepEqual(updated, [{ id: 1, title: "Ada" }]);
    const raw = await sql<{ id: number }>`delete from [posts] where id is distinct from 1 returning
      *`.execute(db);
    assert.deepEqual(raw.rows.map(({ id }) => id), [2, 3]);
  });
};
