// Made of the schema of a database by @tangled/rqlite/cli; what is changed here is lost. To make it again:
//   types --for drizzle --out <this file>
// deno-fmt-ignore-file
// deno-lint-ignore-file

import { sql } from "drizzle-orm-v1";
import {
  type AnySQLiteColumn,
  blob,
  check,
  customType,
  foreignKey,
  index,
  integer,
  numeric,
  primaryKey,
  real,
  sqliteTable,
  type SQLiteTableExtraConfigValue,
  sqliteView,
  text,
  unique,
  uniqueIndex,
} from "drizzle-orm-v1/sqlite-core";

/** A column that holds whatever is put into it. */
const anyValue = customType<{ data: bigint | number | string | Uint8Array }>({
  dataType: () => "blob",
});

export const db = sqliteTable("DB", {
  id: integer("id").primaryKey(),
});

export const orderItems = sqliteTable("Order-Items", {
  aQuotedName: text("a \"quoted\" name"),
  $X: text("`${x}\\").default("`${x}\\"),
}, (): SQLiteTableExtraConfigValue[] => [
  check("Order-Items_check_1", sql`"\`\${x}\\" <> '\`'`),
]);

export const classTable = sqliteTable("class", {
  text: text("text"),
  table: text("table"),
  größe: integer("größe"),
  _2fa: integer("2fa"),
  _Column: integer("!"),
  lineBreak: text("line\nbreak"),
});

export const constructor = sqliteTable("constructor", {
  constructor: text("constructor"),
  __proto: text("__proto__").notNull(),
  prototype: text("prototype"),
  getSQLColumn: text("getSQL"),
  _Column: text("_"),
});

export const date = sqliteTable("date", {
  date: text("date"),
});

export const events = sqliteTable("events", {
  id: text("id").primaryKey(),
  at: real("at").notNull(),
  payload: blob("payload", { mode: "buffer" }).notNull().default(sql`x'00'`),
  count: integer("count").notNull().default(-1),
  extra: anyValue("extra"),
});

export const intKey = sqliteTable("int_key", {
  id: integer("id").notNull(),
  at: text("at").notNull().default("2020-01-02 03:04:05"),
}, (table): SQLiteTableExtraConfigValue[] => [
  primaryKey({ columns: [table.id] }),
]);

export const orderItems2 = sqliteTable("order items", {
  order: integer("order").primaryKey(),
  unitPrice: real("unit price").notNull(),
  unitPrice2: real("unitPrice"),
});

export const productTags = sqliteTable("product_tags", {
  productId: integer("product_id").notNull().references((): AnySQLiteColumn => products.id, { onDelete: "cascade" }),
  tag: text("tag").notNull().references((): AnySQLiteColumn => tags.name),
  added: integer("added").default(sql`(unixepoch())`),
}, (table): SQLiteTableExtraConfigValue[] => [
  primaryKey({ columns: [table.productId, table.tag] }),
]);

export const products = sqliteTable("products", {
  id: integer("id").primaryKey(),
  sku: text("sku").notNull(),
  owner: integer("owner").notNull().references((): AnySQLiteColumn => users.id, { onDelete: "cascade" }),
  price: integer("price").notNull(),
  tax: integer("tax").$type<-1 | 0 | 19>().notNull().default(0),
  gross: integer("gross").notNull().generatedAlwaysAs(sql`price + price * tax / 100`, { mode: "virtual" }),
  state: text("state"),
}, (table): SQLiteTableExtraConfigValue[] => [
  unique("one_sku").on(table.owner, table.sku),
  check("positive", sql`price > 0`),
  check("products_check_2", sql`tax IN (-1, 0, 19)`),
  check("products_check_3", sql`state IN ('new', 'old')`),
]);

// A virtual table: drizzle-kit would make an ordinary one of it.
export const search = sqliteTable("search", {
  title: text("title"),
  body: text("body"),
  productId: anyValue("product_id"),
});

export const tableTable = sqliteTable("table", {
  table: text("table").primaryKey(),
});

export const tagNotes = sqliteTable("tag_notes", {
  productId: integer("product_id").notNull(),
  tag: text("tag").notNull(),
  note: text("note").notNull(),
}, (table): SQLiteTableExtraConfigValue[] => [
  foreignKey({ name: "of_tag", columns: [table.productId, table.tag], foreignColumns: [productTags.productId, productTags.tag] }).onDelete("cascade"),
]);

export const tags = sqliteTable("tags", {
  name: text("name").primaryKey(),
  color: text("color"),
});

export const textTable = sqliteTable("text", {
  t: integer("t"),
  table: text("table").references((): AnySQLiteColumn => tableTable.table),
});

export const umlauts = sqliteTable("umlauts", {
  ä: text("Ä").notNull(),
  ä2: text("ä"),
}, (table): SQLiteTableExtraConfigValue[] => [
  unique().on(table.ä),
]);

export const untyped = sqliteTable("untyped", {
  a: anyValue("a"),
  b: anyValue("b").default(sql`'text'`),
  c: numeric("c"),
  d: anyValue("d"),
});

export const users = sqliteTable("users", {
  id: integer("id").primaryKey({ autoIncrement: true }),
  email: text("email").notNull(),
  firstName: text("first_name").notNull(),
  lastName: text("last_name"),
  fullName: text("full_name").generatedAlwaysAs(sql`first_name || ' ' || coalesce(last_name, '')`, { mode: "stored" }),
  role: text("role", { enum: ["customer", "staff", "it's me"] }).notNull().default("customer"),
  active: integer("active", { mode: "boolean" }).notNull().default(true),
  balance: numeric("balance", { mode: "number" }).notNull().default(0),
  rating: real("rating").default(2.5),
  photo: blob("photo", { mode: "buffer" }),
  settings: text("settings", { mode: "json" }).notNull().default(sql`'{}'`),
  born: text("born"),
  referredBy: integer("referred_by").references((): AnySQLiteColumn => users.id, { onDelete: "set null" }),
  favourite: integer("favourite").references((): AnySQLiteColumn => products.id, { onUpdate: "cascade", onDelete: "set null" }),
  createdAt: text("created_at").notNull().default(sql`CURRENT_TIMESTAMP`),
  seenAt: text("seen_at").notNull().default(sql`(strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))`),
}, (table): SQLiteTableExtraConfigValue[] => [
  unique().on(table.email),
  uniqueIndex("users_email").on(table.email),
  index("users_name").on(sql`${table.lastName} DESC`, sql`lower(first_name)`).where(sql`last_name IS NOT NULL`),
  check("users_check_1", sql`role IN ('customer', 'staff', 'it''s me')`),
]);

export const bare = sqliteView("bare", {
  a: anyValue("a"),
}).existing();

export const both = sqliteView("both", {
  active: anyValue("active"),
  born: anyValue("born"),
  lastName: text("last_name"),
}).existing();

export const staff = sqliteView("staff", {
  id: integer("id"),
  email: text("email"),
  active: integer("active", { mode: "boolean" }),
  createdAt: text("created_at"),
  photo: blob("photo", { mode: "buffer" }),
}).existing();

export const sums = sqliteView("sums", {
  role: text("role"),
  n: anyValue("n"),
  total: numeric("total", { mode: "number" }),
  photo: anyValue("photo"),
}).existing();

// The view "broken" is left out, as it reads what is not there any more.
