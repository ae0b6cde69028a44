import { Hono } from "hono";
import type { Client, Executor } from "../../mod.ts";
import { rqlite, type RqliteVariables } from "../../src/hono/mod.ts";
import { known, type Shop, totalOf } from "./shop.ts";

/** A client, or what a request of Hono has in its place. */
type Database = Executor & Pick<Client, "transaction">;

const VISIT = 'INSERT INTO customers(email, settings) VALUES(?, \'{"theme":"dark"}\') ' +
  "ON CONFLICT(email) DO UPDATE SET visits = visits + 1 RETURNING id, visits";

const TOTAL =
  "UPDATE orders SET total = (SELECT round(total(amount * price), 2) FROM order_lines JOIN products " +
  "ON products.id = product_id WHERE order_id = orders.id) WHERE id = ?";

/** An order as it was placed. */
interface Order {
  readonly id: number;
  readonly total: number;
  readonly token: string;
  readonly placed_at: string;
}

async function visit(on: Executor, email: string): Promise<{ id: number; visits: number }> {
  const { rows: [row] } = await on.execute<{ id: number; visits: number }>(VISIT, [email]);
  return row!;
}

async function order(tx: Executor, email: string, products: readonly number[]): Promise<number> {
  const customer = await visit(tx, email);
  const { rows: [placed] } = await tx.execute<Order>(
    "INSERT INTO orders(customer_id) VALUES(?) RETURNING *",
    [customer.id],
  );
  const { id } = placed!;
  for (const product of products) {
    await tx.execute("INSERT INTO order_lines VALUES(?, ?, 1)", [id, product]);
    await tx.execute("UPDATE products SET stock = stock - 1, updated_at = 1000 WHERE id = ?", [
      product,
    ]);
  }
  await tx.execute(TOTAL, [id]);
  const read = await tx.first<Order>("SELECT * FROM orders WHERE id = ?", [id]);
  return totalOf(read, placed!, "placed_at");
}

/** The shop by the client's own calls. */
export function clientShop(db: Database): Shop {
  return {
    visit: async (email) => (await visit(db, email)).visits,
    order: (email, products) => db.transaction((tx) => order(tx, email, products)),
    async review(word) {
      const { lastInsertId } = await db.execute("INSERT INTO reviews(title, body) VALUES(?, ?)", [
        word,
        "draft",
      ]);
      const body = `all about ${word}`;
      await db.execute("UPDATE reviews SET body = ? WHERE id = ?", [body, known(lastInsertId)]);
      const { rows } = await db.query<{ title: string }>(
        "SELECT title FROM reviews_search WHERE reviews_search MATCH ?",
        [`body:${word}`],
      );
      return rows.map(({ title }) => title);
    },
    stock: (name) =>
      db.transaction(async (tx) => {
        const insert = "INSERT INTO products(name, price, stock) VALUES(?, ?, 1)";
        await tx.execute(insert, [name, 0.1]);
        const inner = await tx.savepoint("inner");
        await tx.execute(insert, [`not ${name}`, 0.2]);
        await tx.rollbackTo(inner);
      }),
    leave: async (email) =>
      (await db.execute("DELETE FROM customers WHERE email = ?", [email])).rowsAffected,
    spent: async () =>
      (await db.query<{ email: string; orders: number }>(
        "SELECT email, orders FROM spent ORDER BY email",
      )).rows,
  };
}

/** What {@linkcode honoShop} posts: the name of something a shop can do, and what for. */
type Wish = { readonly [Name in keyof Shop]: readonly [Name, ...Parameters<Shop[Name]>] }[
  keyof Shop
];

/** The shop behind a server of Hono's, each request of which is one transaction. */
export function honoShop(client: Client): Shop {
  let failure: unknown;
  const app = new Hono<{ Variables: RqliteVariables }>();
  app.use(rqlite(client, { transaction: true }));
  app.post("/", async (c) => {
    const [name, ...rest] = await c.req.json<Wish>();
    const shop = clientShop(c.var.db);
    return c.json((await (shop[name] as (...of: unknown[]) => Promise<unknown>)(...rest)) ?? null);
  });
  app.onError((error, c) => {
    failure = error;
    return c.text(error.name, 500);
  });
  async function ask<T>(...wish: Wish): Promise<T> {
    const response = await app.request("/", { method: "POST", body: JSON.stringify(wish) });
    if (response.status !== 200) throw failure;
    return await response.json() as T;
  }
  return {
    visit: (email) => ask("visit", email),
    order: (email, products) => ask("order", email, products),
    review: (word) => ask("review", word),
    stock: (name) => ask("stock", name),
    leave: (email) => ask("leave", email),
    spent: () => ask("spent"),
  };
}
