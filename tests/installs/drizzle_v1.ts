/** A program of a user of drizzle-orm 1.0. */

import { connect } from "@tangled/rqlite";
import { embedded } from "@tangled/rqlite/embedded";
import { drizzle } from "@tangled/rqlite-drizzle-v1";
import { defineRelations, sql } from "drizzle-orm-v1";
import { integer, sqliteTable, text } from "drizzle-orm-v1/sqlite-core";
import { expect, tenAtOnce } from "./expect.ts";

const users = sqliteTable("users", {
  id: integer().primaryKey(),
  name: text().notNull(),
  seen: integer({ mode: "timestamp" }).notNull(),
  admin: integer({ mode: "boolean" }).notNull(),
  tags: text({ mode: "json" }).$type<string[]>().notNull(),
});
const posts = sqliteTable("posts", { id: integer().primaryKey(), author: integer().notNull() });
const counters = sqliteTable("counters", {
  id: integer().primaryKey(),
  count: integer().notNull(),
});
const relations = defineRelations({ users, posts }, (r) => ({
  users: { posts: r.many.posts({ from: r.users.id, to: r.posts.author }) },
}));

const client = connect(embedded());
await client.batch([
  "CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT, seen INTEGER, admin INTEGER, tags TEXT)",
  "CREATE TABLE posts(id INTEGER PRIMARY KEY, author INTEGER)",
  "CREATE TABLE counters(id INTEGER PRIMARY KEY, count INTEGER)",
]);
const db = drizzle(client, { relations });

const ada = { id: 1, name: "Ada", seen: new Date(0), admin: true, tags: ["a"] };
expect("a row of RETURNING", await db.insert(users).values(ada).returning(), [ada]);
await db.insert(posts).values({ id: 1, author: 1 });
const found = await db.query.users.findFirst({ where: { id: 1 }, with: { posts: true } });
expect("a row with its relations", found, { ...ada, posts: [{ id: 1, author: 1 }] });
expect("a date", found?.seen instanceof Date, true);

await db.insert(counters).values({ id: 1, count: 0 });
await tenAtOnce(() =>
  db.transaction(async (tx) => {
    await tx.update(counters).set({ count: sql`${counters.count} + 1` });
  })
);
expect("a counter", await db.select().from(counters), [{ id: 1, count: 10 }]);
await client.close();
