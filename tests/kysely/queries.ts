// What a SELECT of each kind answers.
import assert from "node:assert/strict";
import { it } from "node:test";
import { type Kysely, ParseJSONResultsPlugin, sql } from "kysely";
import { jsonArrayFrom, jsonObjectFrom } from "kysely/helpers/sqlite";
import { type Database, fill, type Topic } from "./target.ts";

type Query = (db: Kysely<Database>) => Promise<unknown>;

/** What each answers on the tables of `fill()`. */
const QUERIES: Readonly<Record<string, readonly [Query, unknown]>> = {
  "selectAll() answers every column": [
    (db) => db.selectFrom("tags").selectAll().orderBy("id").execute(),
    [{ id: 1, name: "new" }, { id: 2, name: "old" }],
  ],
  "select() renames columns": [
    (db) =>
      db.selectFrom("users as u").select(["u.name as who", "age"]).where("u.id", "=", 1).execute(),
    [{ who: "Ada", age: 36 }],
  ],
  "where() takes comparisons, lists, patterns and NULL": [
    (db) =>
      db.selectFrom("users").select("name").where("id", "in", [1, 2, 3]).where(
        "age",
        "is not",
        null,
      )
        .where("name", "like", "%b%").where((eb) => eb.or([eb("age", ">", 19), eb("age", "<", 1)]))
        .where((eb) => eb.between("age", 1, 99)).execute(),
    [{ name: "Bob" }],
  ],
  "where() takes tuples and sub-queries": [
    (db) =>
      db.selectFrom("users").select("name").where(
        "id",
        "in",
        (eb) => eb.selectFrom("posts").select("author"),
      ).where(({ exists, selectFrom }) =>
        exists(
          selectFrom("posts").select("id").whereRef("posts.author", "=", "users.id")
            .where("title", "=", "Three"),
        )
      ).execute(),
    [{ name: "Bob" }],
  ],
  "innerJoin() and leftJoin() keep columns apart by alias": [
    (db) =>
      db.selectFrom("users").leftJoin("posts", "posts.author", "users.id")
        .select(["users.id as user", "posts.id as post"]).orderBy(["users.id", "posts.id"])
        .execute(),
    [{ user: 1, post: 1 }, { user: 1, post: 2 }, { user: 2, post: 3 }, { user: 3, post: null }],
  ],
  "selectAll() of a join answers the last of two columns with one name": [
    (db) =>
      db.selectFrom("posts").innerJoin("users", "users.id", "posts.author").selectAll()
        .where("posts.id", "=", 3).select("users.id").execute(),
    [{ id: 2, title: "Three", author: 2, name: "Bob", age: 20, active: 1 }],
  ],
  "fullJoin() and a join with conditions": [
    (db) =>
      db.selectFrom("tags").fullJoin(
        "post_tags",
        (join) => join.onRef("post_tags.tag", "=", "tags.id").on("post_tags.post", "=", 3),
      )
        .select(["name", "post"]).where("name", "is not", null).orderBy("name").execute(),
    [{ name: "new", post: null }, { name: "old", post: 3 }],
  ],
  "groupBy() and having() aggregate": [
    (db) =>
      db.selectFrom("posts").select(({ fn }) => [
        "author",
        fn.countAll<number>().as("n"),
        fn.max("title").as("last"),
        fn.sum<number>("id").as("sum"),
        fn.avg<number>("id").as("avg"),
      ]).groupBy("author").having((eb) => eb.fn.countAll(), ">", 1).execute(),
    [{ author: 1, n: 2, last: "Two", sum: 3, avg: 1.5 }],
  ],
  "fn.count() takes distinct() and filterWhere()": [
    (db) =>
      db.selectFrom("posts").select(({ fn }) => [
        fn.count<number>("author").distinct().as("authors"),
        fn.count<number>("id").filterWhere("author", "=", 1).as("mine"),
      ]).execute(),
    [{ authors: 2, mine: 2 }],
  ],
  "fn.agg() over a partition": [
    (db) =>
      db.selectFrom("posts").select((eb) => [
        "id",
        eb.fn.agg<number>("row_number").over((ob) => ob.partitionBy("author").orderBy("id", "desc"))
          .as("n"),
      ]).orderBy("id").execute(),
    [{ id: 1, n: 2 }, { id: 2, n: 1 }, { id: 3, n: 1 }],
  ],
  "distinct(), orderBy(), limit() and offset()": [
    (db) =>
      db.selectFrom("posts").select("author").distinct().orderBy("author", "desc").limit(1).offset(
        1,
      )
        .execute(),
    [{ author: 1 }],
  ],
  "with() reads from a common table expression": [
    (db) =>
      db.with("adults", (qb) => qb.selectFrom("users").selectAll().where("age", ">", 30))
        .selectFrom("adults").select("name").execute(),
    [{ name: "Ada" }],
  ],
  "withRecursive() counts": [
    (db) =>
      db.withRecursive("n(i)", (qb) =>
        qb.selectNoFrom(sql<number>`1`.as("i")).unionAll(
          qb.selectFrom("n").select(sql<number>`i + 1`.as("i")).where("i", "<", 4),
        )).selectFrom("n").select("i").execute(),
    [{ i: 1 }, { i: 2 }, { i: 3 }, { i: 4 }],
  ],
  "union(), intersect() and except() combine": [
    (db) =>
      db.selectFrom("users").select("id").union(db.selectFrom("posts").select("id"))
        .except(db.selectFrom("tags").select("id")).orderBy("id").execute(),
    [{ id: 3 }],
  ],
  "case(), coalesce(), cast() and functions": [
    (db) =>
      db.selectFrom("users").select((eb) => [
        eb.case().when("age", ">", 30).then("old").when("age", "is", null).then("?").else("young")
          .end().as("what"),
        eb.fn.coalesce("age", sql<number>`-1`).as("age"),
        eb.cast<string>("id", "text").as("id"),
        eb.fn<string>("upper", ["name"]).as("name"),
      ]).orderBy("users.id").execute(),
    [
      { what: "old", age: 36, id: "1", name: "ADA" },
      { what: "young", age: 20, id: "2", name: "BOB" },
      { what: "?", age: -1, id: "3", name: "CLEO" },
    ],
  ],
  "selectNoFrom() binds values": [
    (db) => db.selectNoFrom((eb) => [eb.val("x").as("a"), eb.lit(1).as("b")]).execute(),
    [{ a: "x", b: 1 }],
  ],
  "sql`…` binds values and quotes names": [
    async (db) => {
      const query = sql<{ name: string }>`select ${sql.ref("name")} from ${
        sql.table("users")
      } where id = ${2}`;
      return (await query.execute(db)).rows;
    },
    [{ name: "Bob" }],
  ],
  "explain() answers the plan": [
    async (db) =>
      (await db.selectFrom("users").selectAll().explain(undefined, sql`query plan`)).length,
    1,
  ],
  "jsonArrayFrom() and jsonObjectFrom() nest rows": [
    (db) =>
      db.withPlugin(new ParseJSONResultsPlugin()).selectFrom("posts").select((eb) => [
        "title",
        jsonObjectFrom(
          eb.selectFrom("users").select("name").whereRef("users.id", "=", "posts.author"),
        ).as("by"),
        jsonArrayFrom(
          eb.selectFrom("tags").innerJoin("post_tags", "tag", "tags.id").select("name")
            .whereRef("post", "=", "posts.id").orderBy("name"),
        ).as("tags"),
      ]).orderBy("posts.id").execute(),
    [
      { title: "One", by: { name: "Ada" }, tags: [{ name: "new" }, { name: "old" }] },
      { title: "Two", by: { name: "Ada" }, tags: [] },
      { title: "Three", by: { name: "Bob" }, tags: [{ name: "old" }] },
    ],
  ],
};

export const queries: Topic = (target) => {
  for (const [name, [query, expected]] of Object.entries(QUERIES)) {
    it(name, async () => assert.deepEqual(await query(await fill(target())), expected));
    it(`${name}, also in a transaction`, async () => {
      const db = await fill(target());
      const read = db.transaction().execute(async (trx) => {
        await trx.updateTable("users").set({ age: 36 }).where("id", "=", 1).execute();
        return await query(trx);
      });
      assert.deepEqual(await read, expected);
    });
  }
};
