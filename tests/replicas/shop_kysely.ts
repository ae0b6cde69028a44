import { type Generated, Kysely, sql } from "kysely";
import { jsonArrayFrom } from "kysely/helpers/sqlite";
import { RqliteDialect } from "../../packages/kysely/mod.ts";
import type { Client } from "../../mod.ts";
import { known, type Shop, totalOf } from "./shop.ts";

interface Tables {
  customers: {
    id: Generated<number>;
    email: string;
    visits: Generated<number>;
    settings: Generated<string>;
    created_at: Generated<string>;
  };
  products: {
    id: Generated<number>;
    name: string;
    price: number;
    stock: number;
    updated_at: number | null;
  };
  orders: {
    id: Generated<number>;
    customer_id: number;
    total: Generated<number>;
    token: Generated<string>;
    placed_at: Generated<string>;
  };
  order_lines: { order_id: number; product_id: number; amount: number };
  reviews: { id: Generated<number>; title: string; body: string };
  reviews_search: { rowid: number; title: string; reviews_search: string };
  spent: { id: number; email: string; orders: number; total: number };
}

/** The shop by Kysely's builders. */
export function kyselyShop(client: Client): Shop {
  const db = new Kysely<Tables>({ dialect: new RqliteDialect({ client }) });

  const visit = (on: Kysely<Tables>, email: string) =>
    on.insertInto("customers").values({ email, settings: JSON.stringify({ theme: "dark" }) })
      .onConflict((conflict) =>
        conflict.column("email").doUpdateSet((eb) => ({ visits: eb("customers.visits", "+", 1) }))
      )
      .returning(["id", "visits"]).executeTakeFirstOrThrow();

  return {
    visit: async (email) => (await visit(db, email)).visits,
    order: (email, products) =>
      db.transaction().execute(async (trx) => {
        const customer = await visit(trx, email);
        const order = await trx.insertInto("orders").values({ customer_id: customer.id })
          .returningAll().executeTakeFirstOrThrow();
        await trx.insertInto("order_lines")
          .values(
            products.map((product_id) => ({ order_id: order.id, product_id, amount: 1 })),
          ).execute();
        await trx.updateTable("products")
          .set((eb) => ({ stock: eb("stock", "-", 1), updated_at: 1000 }))
          .where("id", "in", products).execute();
        await trx.updateTable("orders").set((eb) => ({
          total: eb.selectFrom("order_lines").innerJoin("products", "products.id", "product_id")
            .whereRef("order_lines.order_id", "=", "orders.id")
            .select(sql<number>`round(total(amount * price), 2)`.as("total")),
        })).where("id", "=", order.id).execute();
        const read = await trx.selectFrom("orders").selectAll("orders").select((eb) =>
          jsonArrayFrom(
            eb.selectFrom("order_lines").select(["product_id", "amount"])
              .whereRef("order_id", "=", "orders.id").orderBy("product_id"),
          ).as("lines")
        ).where("id", "=", order.id).executeTakeFirst();
        return totalOf(read, order, "placed_at");
      }),
    async review(word) {
      const { insertId } = await db.insertInto("reviews").values({ title: word, body: "draft" })
        .executeTakeFirstOrThrow();
      await db.updateTable("reviews").set({ body: `all about ${word}` })
        .where("id", "=", known(insertId)).execute();
      const rows = await db.selectFrom("reviews_search").select("title")
        .where("reviews_search", sql`match`, `body:${word}`).execute();
      return rows.map(({ title }) => title);
    },
    async stock(name) {
      const trx = await db.startTransaction().execute();
      await trx.insertInto("products").values({ name, price: 0.1, stock: 1, updated_at: null })
        .execute();
      const inner = await trx.savepoint("inner").execute();
      await inner.insertInto("products")
        .values({ name: `not ${name}`, price: 0.2, stock: 1, updated_at: null }).execute();
      await inner.rollbackToSavepoint("inner").execute();
      await trx.commit().execute();
    },
    async leave(email) {
      const { numDeletedRows } = await db.deleteFrom("customers").where("email", "=", email)
        .executeTakeFirstOrThrow();
      return Number(numDeletedRows);
    },
    spent: () => db.selectFrom("spent").select(["email", "orders"]).orderBy("email").execute(),
  };
}
