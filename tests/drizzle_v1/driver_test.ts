// The 1.0 line of Drizzle: queries, relations, columns, batches, transactions.
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import { defineRelations, eq, sql, TransactionRollbackError } from "drizzle-orm-v1";
import {
  blob,
  customType,
  integer,
  numeric,
  real,
  sqliteTable,
  text,
} from "drizzle-orm-v1/sqlite-core";
import { TransactionConflictError, withRetry } from "../../mod.ts";
import { PLACES, type World } from "../transaction/world.ts";
import { drizzle } from "../../packages/drizzle-v1/mod.ts";

const int64 = customType<{ data: bigint; driverData: number | bigint }>({
  dataType: () => "integer",
  fromDriver: (value) => BigInt(value),
});
const users = sqliteTable("users", { id: integer().primaryKey(), name: text().notNull().unique() });
const posts = sqliteTable("posts", {
  id: integer().primaryKey(),
  author: integer().notNull(),
  title: text().notNull(),
});
const values = sqliteTable("all_values", {
  id: integer().primaryKey(),
  int64: int64(),
  flag: integer({ mode: "boolean" }),
  seconds: integer({ mode: "timestamp" }),
  milliseconds: integer({ mode: "timestamp_ms" }),
  real: real(),
  text: text(),
  json: text({ mode: "json" }),
  bytes: blob({ mode: "buffer" }),
  blobJson: blob("blob_json", { mode: "json" }),
  blobBigint: blob("blob_bigint", { mode: "bigint" }),
  numeric: numeric(),
  numericBigint: numeric("numeric_bigint", { mode: "bigint" }),
});
const relations = defineRelations({ users, posts }, (r) => ({
  users: { posts: r.many.posts({ from: r.users.id, to: r.posts.author }) },
  posts: { writer: r.one.users({ from: r.posts.author, to: r.users.id }) },
}));

const CREATE = [
  "CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
  "CREATE TABLE posts(id INTEGER PRIMARY KEY, author INTEGER NOT NULL, title TEXT NOT NULL)",
  "CREATE TABLE all_values(id INTEGER PRIMARY KEY, int64 INTEGER, flag INTEGER, seconds INTEGER, milliseconds INTEGER, " +
  "real REAL, text TEXT, json TEXT, bytes BLOB, blob_json BLOB, blob_bigint BLOB, numeric NUMERIC, numeric_bigint NUMERIC)",
];

for (const place of PLACES) {
  const open = ({ db }: World) => drizzle(db, { relations });
  const test = (name: string, body: (db: ReturnType<typeof open>, world: World) => Promise<void>) =>
    it(name, () =>
      place.run(async (world) => {
        await world.other.batch(CREATE);
        await body(open(world), world);
      }));

  describe(`drizzle-orm 1.0 on ${place.name}`, { skip: place.skip }, () => {
    test("queries, relations and errors", async (db) => {
      const [ada] = await db.insert(users).values({ name: "Ada" }).returning();
      assert.deepEqual(ada, { id: 1, name: "Ada" });
      assert.equal((await db.insert(posts).values({ author: 1, title: "One" })).rowsAffected, 1);
      const joined = await db.select().from(users).leftJoin(posts, eq(posts.author, users.id));
      assert.deepEqual(joined, [{ users: ada, posts: { id: 1, author: 1, title: "One" } }]);
      assert.deepEqual(await db.query.users.findMany({ with: { posts: true } }), [
        { id: 1, name: "Ada", posts: [{ id: 1, author: 1, title: "One" }] },
      ]);
      const post = await db.query.posts.findFirst({ with: { writer: true } });
      assert.equal(post!.writer!.name, "Ada");
      assert.equal(await db.query.posts.findFirst({ where: { id: 9 } }), undefined);
      const named = db.select().from(users).where(eq(users.name, sql.placeholder("name")))
        .prepare();
      assert.deepEqual(await named.execute({ name: "Ada" }), [ada]);
      assert.deepEqual(await db.all(sql`SELECT name FROM users`), [{ name: "Ada" }]);
      assert.equal(await db.$count(users), 1);
      await assert.rejects(
        async () => await db.insert(users).values({ name: "Ada" }),
        (error: Error) => (error.cause as { code: string }).code === "SQLITE_CONSTRAINT_UNIQUE",
      );
    });

    test("columns of every mode", async (db) => {
      const row = {
        id: 1,
        int64: 2n ** 63n - 1n,
        flag: true,
        seconds: new Date("2038-01-19T03:14:08Z"),
        milliseconds: new Date("2026-01-02T03:04:05.678Z"),
        real: 0.1,
        text: "☃",
        json: { a: [1] },
        bytes: Buffer.from([0, 255]),
        blobJson: { b: "☃" },
        blobBigint: 10n ** 30n,
        numeric: "9007199254740993",
        numericBigint: 2n ** 60n + 1n,
      };
      await db.insert(values).values(row);
      assert.deepEqual(await db.select().from(values), [row]);
      await db.insert(values).values({ id: 2 });
      const [, empty] = await db.select().from(values);
      assert.deepEqual(Object.values(empty!), [2, ...Array.from({ length: 12 }, () => null)]);
    });

    test("batches answer by kind, all or nothing", async (db) => {
      const insert = db.insert(users).values({ name: "Ada" });
      const [inserted, found, first, raw] = await db.batch([
        insert,
        db.select().from(users),
        db.query.users.findFirst(),
        db.all(sql`SELECT 7 AS n`),
      ]);
      assert.equal(inserted.rowsAffected, 1);
      assert.deepEqual([found, first, raw], [[{ id: 1, name: "Ada" }], { id: 1, name: "Ada" }, [
        { n: 7 },
      ]]);
      await assert.rejects(db.batch([db.insert(users).values({ name: "Bob" }), insert]));
      assert.equal(await db.$count(users), 1);
    });

    test(
      "transactions commit, undo, nest, conflict, and are one request when lazy",
      async (db, world) => {
        const { network } = world;
        await db.transaction(async (tx) => {
          await tx.insert(users).values({ id: 1, name: "outer" });
          await assert.rejects(
            tx.transaction(async (inner) => {
              await inner.insert(users).values({ name: "inner" });
              assert.equal(await inner.$count(users), 2);
              inner.rollback();
            }),
            TransactionRollbackError,
          );
        });
        assert.equal(await db.$count(users), 1);
        const rename = (meanwhile: () => Promise<unknown>): Promise<void> =>
          db.transaction(async (tx) => {
            const [user] = await tx.select().from(users);
            await meanwhile();
            await tx.update(users).set({ name: `${user!.name}!` });
          });
        let runs = 0;
        const disturb = async (): Promise<void> => {
          if (runs++ === 0) await world.sql("UPDATE users SET name = name || '?'");
        };
        await assert.rejects(rename(disturb), TransactionConflictError);
        runs = 0;
        await withRetry(() => rename(disturb));
        assert.equal(runs, 2);
        const before = network.requests.length;
        await db.transaction(async (tx) => {
          for (let i = 0; i < 100; i++) await tx.insert(posts).values({ author: 1, title: `${i}` });
        }, { mode: "lazy" });
        assert.deepEqual(network.requests.slice(before), ["/db/execute"]);
        await assert.rejects(
          db.transaction(() => Promise.resolve(), { behavior: "immediate" }),
          TypeError,
        );
      },
    );
  });
}
