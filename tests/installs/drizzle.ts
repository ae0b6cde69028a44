/** A program of a user of drizzle-orm 0.44 or 0.45. */

import { connect } from "@tangled/rqlite";
import { embedded } from "@tangled/rqlite/embedded";
import { drizzle } from "@tangled/rqlite-drizzle";
import { migrate } from "@tangled/rqlite-drizzle/migrator";
import { eq, relations, sql } from "drizzle-orm";
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { expect, tenAtOnce } from "./expect.ts";

const users = sqliteTable("users", {
  id: integer().primaryKey(),
  name: text().notNull(),
  seen: integer({ mode: "timestamp" }).notNull(),
  admin: integer({ mode: "boolean" }).notNull(),
  tags: text({ mode: "json" }).$type<string[]>().notNull(),
});
const posts = sqliteTable("posts", {
  id: integer().primaryKey(),
  author: integer().notNull(),
});
const counters = sqliteTable("counters", {
  id: integer().primaryKey(),
  count: integer().notNull(),
});
const usersRelations = relations(users, ({ many }) => ({ posts: many(posts) }));
const postsRelations = relations(posts, ({ one }) => ({
  writer: one(users, { fields: [posts.author], references: [users.id] }),
}));

const client = connect(embedded());
await client.batch([
  "CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT, seen INTEGER, admin INTEGER, tags TEXT)",
  "CREATE TABLE posts(id INTEGER PRIMARY KEY, author INTEGER)",
  "CREATE TABLE counters(id INTEGER PRIMARY KEY, count INTEGER)",
]);
const db = drizzle(client, { schema: { users, posts, usersRelations, postsRelations } });

const ada = { id: 1, name: "Ada", seen: new Date(0), admin: true, tags: ["a"] };
expect("a row of RETURNING", await db.insert(users).values(ada).returning(), [ada]);
await db.insert(posts).values({ id: 1, author: 1 });
const found = await db.query.users.findFirst({ where: eq(users.id, 1), with: { posts: true } });
expect("a row with its relations", found, { ...ada, posts: [{ id: 1, author: 1 }] });
expect("a date", found?.seen instanceof Date, true);

await db.insert(counters).values({ id: 1, count: 0 });
await tenAtOnce(() =>
  db.transaction(async (tx) => {
    await tx.update(counters).set({ count: sql`${counters.count} + 1` });
  })
);
expect("a counter", await db.select().from(counters), [{ id: 1, count: 10 }]);
expect("the migrator", typeof migrate, "function");
await client.close();
