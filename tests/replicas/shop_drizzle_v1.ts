import { defineRelations, eq, inArray, sql } from "drizzle-orm-v1";
import {
  integer,
  primaryKey,
  real,
  sqliteTable,
  sqliteView,
  text,
} from "drizzle-orm-v1/sqlite-core";
import { drizzle } from "../../packages/drizzle-v1/mod.ts";
import type { Client } from "../../mod.ts";
import { known, type Shop, totalOf } from "./shop.ts";

const customers = sqliteTable("customers", {
  id: integer().primaryKey({ autoIncrement: true }),
  email: text().notNull().unique(),
  visits: integer().notNull().default(1),
  settings: text({ mode: "json" }).$type<{ theme?: string }>().notNull().default({}),
  createdAt: text("created_at").notNull().default(sql`CURRENT_TIMESTAMP`),
});

const products = sqliteTable("products", {
  id: integer().primaryKey(),
  name: text().notNull().unique(),
  price: real().notNull(),
  stock: integer().notNull(),
  updatedAt: integer("updated_at", { mode: "timestamp_ms" }).$onUpdate(() => new Date(1000)),
});

const orders = sqliteTable("orders", {
  id: integer().primaryKey({ autoIncrement: true }),
  customerId: integer("customer_id").notNull().references(() => customers.id, {
    onDelete: "cascade",
  }),
  total: real().notNull().default(0),
  token: text().notNull().default(sql`(lower(hex(randomblob(8))))`),
  placedAt: text("placed_at").notNull().default(sql`(strftime('%Y-%m-%d %H:%M:%f', 'now'))`),
});

const orderLines = sqliteTable("order_lines", {
  orderId: integer("order_id").notNull().references(() => orders.id, { onDelete: "cascade" }),
  productId: integer("product_id").notNull().references(() => products.id),
  amount: integer().notNull(),
}, (table) => [primaryKey({ columns: [table.orderId, table.productId] })]);

const reviews = sqliteTable("reviews", {
  id: integer().primaryKey(),
  title: text().notNull(),
  body: text().notNull(),
});

const spent = sqliteView("spent", {
  email: text().notNull(),
  orders: integer().notNull(),
}).existing();

const relations = defineRelations({ customers, products, orders, orderLines }, (r) => ({
  orders: { lines: r.many.orderLines({ from: r.orders.id, to: r.orderLines.orderId }) },
}));

/** The shop by the builders of Drizzle 1.0. */
export function drizzleV1Shop(client: Client): Shop {
  const db = drizzle(client, { relations });
  type Db = Pick<typeof db, "insert">;

  const visit = async (on: Db, email: string) => {
    const [row] = await on.insert(customers).values({ email, settings: { theme: "dark" } })
      .onConflictDoUpdate({
        target: customers.email,
        set: { visits: sql`${customers.visits} + 1` },
      })
      .returning({ id: customers.id, visits: customers.visits });
    return row!;
  };

  return {
    visit: async (email) => (await visit(db, email)).visits,
    order: (email, ids) =>
      db.transaction(async (tx) => {
        const customer = await visit(tx, email);
        const [order] = await tx.insert(orders).values({ customerId: customer.id }).returning();
        const lines = ids.map((productId) => ({ orderId: order!.id, productId, amount: 1 }));
        await tx.insert(orderLines).values(lines);
        await tx.update(products).set({ stock: sql`${products.stock} - 1` })
          .where(inArray(products.id, [...ids]));
        const sum = tx.select({
          total: sql`round(total(${orderLines.amount} * ${products.price}), 2)`,
        }).from(orderLines).innerJoin(products, eq(products.id, orderLines.productId))
          .where(eq(orderLines.orderId, order!.id));
        await tx.update(orders).set({ total: sql`(${sum})` }).where(eq(orders.id, order!.id));
        const read = await tx.query.orders.findFirst({
          where: { id: order!.id },
          with: { lines: { columns: { productId: true, amount: true } } },
        });
        return totalOf(read, order!, "placedAt");
      }),
    async review(word) {
      const { lastInsertId } = await db.insert(reviews).values({ title: word, body: "draft" });
      await db.update(reviews).set({ body: `all about ${word}` })
        .where(eq(reviews.id, known(lastInsertId)));
      const rows = await db.all<{ title: string }>(
        sql`SELECT title FROM reviews_search WHERE reviews_search MATCH ${`body:${word}`}`,
      );
      return rows.map(({ title }) => title);
    },
    stock: (name) =>
      db.transaction(async (tx) => {
        await tx.insert(products).values({ name, price: 0.1, stock: 1 });
        await tx.transaction(async (inner) => {
          await inner.insert(products).values({ name: `not ${name}`, price: 0.2, stock: 1 });
          throw new Error("on purpose");
        }).catch((error: Error) => {
          if (error.message !== "on purpose") throw error;
        });
      }),
    leave: async (email) =>
      (await db.delete(customers).where(eq(customers.email, email))).rowsAffected,
    spent: () => db.select().from(spent).orderBy(spent.email),
  };
}
