import { defineRelations, type SQL, sql } from "drizzle-orm-v1";
import {
  blob,
  check,
  customType,
  index,
  integer,
  numeric,
  primaryKey,
  real,
  sqliteTable,
  text,
} from "drizzle-orm-v1/sqlite-core";

/** Every 64-bit integer, also of a relation, which comes as JSON. */
export const int64 = customType<
  { data: bigint; driverData: number | bigint; jsonData: string }
>({
  dataType: () => "integer",
  fromDriver: (value) => BigInt(value),
  toDriver: (value) => value,
  forJsonSelect: (column, sql) => sql`cast(${column} as text)`,
  fromJson: (value) => BigInt(value),
});

export const users = sqliteTable("users", {
  id: integer().primaryKey({ autoIncrement: true }),
  name: text().notNull(),
  email: text().unique(),
  age: integer(),
  invitedBy: integer("invited_by"),
}, (t) => [check("adult", sql`${t.age} >= 18`), index("users_name").on(t.name)]);

export const posts = sqliteTable("posts", {
  id: integer().primaryKey(),
  author: integer().notNull().references(() => users.id, { onDelete: "cascade" }),
  title: text().notNull(),
});

export const groups = sqliteTable("groups", {
  id: integer().primaryKey(),
  name: text().notNull(),
});

export const members = sqliteTable("members", {
  user: integer().notNull().references(() => users.id, { onDelete: "cascade" }),
  group: integer().notNull().references(() => groups.id),
}, (t) => [primaryKey({ columns: [t.user, t.group] })]);

export const values = sqliteTable("all_values", {
  id: integer().primaryKey(),
  number: integer(),
  int64: int64(),
  flag: integer({ mode: "boolean" }),
  seconds: integer({ mode: "timestamp" }),
  milliseconds: integer({ mode: "timestamp_ms" }),
  real: real(),
  text: text(),
  json: text({ mode: "json" }).$type<{ a: number[] } | string>(),
  bytes: blob({ mode: "buffer" }),
  blobJson: blob("blob_json", { mode: "json" }).$type<{ b: string }>(),
  blobBigint: blob("blob_bigint", { mode: "bigint" }),
  numeric: numeric(),
  numericNumber: numeric("numeric_number", { mode: "number" }),
  numericBigint: numeric("numeric_bigint", { mode: "bigint" }),
});

export const relations = defineRelations({ users, posts, groups, members, values }, (r) => ({
  users: {
    posts: r.many.posts({ from: r.users.id, to: r.posts.author }),
    members: r.many.members({ from: r.users.id, to: r.members.user }),
    groups: r.many.groups({
      from: r.users.id.through(r.members.user),
      to: r.groups.id.through(r.members.group),
    }),
    inviter: r.one.users({ from: r.users.invitedBy, to: r.users.id }),
  },
  posts: { writer: r.one.users({ from: r.posts.author, to: r.users.id, optional: false }) },
  groups: { members: r.many.members({ from: r.groups.id, to: r.members.group }) },
  members: {
    person: r.one.users({ from: r.members.user, to: r.users.id, optional: false }),
    team: r.one.groups({ from: r.members.group, to: r.groups.id, optional: false }),
  },
  values: { same: r.many.values({ from: r.values.id, to: r.values.id }) },
}));

/** What creates the tables, as drizzle-kit would. */
export const CREATE: readonly SQL[] = [
  sql`CREATE TABLE users(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, email TEXT UNIQUE,
      age INTEGER, invited_by INTEGER, CONSTRAINT adult CHECK(age >= 18))`,
  sql`CREATE TABLE posts(id INTEGER PRIMARY KEY, author INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
      title TEXT NOT NULL)`,
  sql`CREATE TABLE groups(id INTEGER PRIMARY KEY, name TEXT NOT NULL)`,
  sql`CREATE TABLE members(user INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
      "group" INTEGER NOT NULL REFERENCES groups(id), PRIMARY KEY(user, "group"))`,
  sql`CREATE TABLE all_values(id INTEGER PRIMARY KEY, number INTEGER, int64 INTEGER, flag INTEGER, seconds INTEGER,
      milliseconds INTEGER, real REAL, text TEXT, json TEXT, bytes BLOB, blob_json BLOB, blob_bigint BLOB,
      numeric NUMERIC, numeric_number NUMERIC, numeric_bigint NUMERIC)`,
];
