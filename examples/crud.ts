/**
 * A table of products by the client, from its creation to its end: the DB-API's crud.ts, where nothing needs a cursor.
 *
 *     deno run -A examples/crud.ts                               on a database in memory
 *     deno run -A examples/crud.ts --url http://localhost:4001   on an rqlite server
 *
 * Also with `bun` and `node`.
 */

// In your project these two are "@tangled/rqlite" and "@tangled/rqlite/locks".
import { connect } from "../mod.ts";
import { LocalLock } from "../src/locks/mod.ts";
import { done } from "./terminal.ts";
import { target } from "./target.ts";

interface Product {
  name: string;
  price: number;
  quantity: number;
}

const lock = new LocalLock("products");
const db = connect(target());

await db.execute("DROP TABLE IF EXISTS demo_products");
await db.execute(`
  CREATE TABLE demo_products (
    id       INTEGER PRIMARY KEY,
    name     TEXT NOT NULL,
    price    REAL NOT NULL,
    quantity INTEGER DEFAULT 0
  )`);
done("Table 'demo_products' ready");

const { lastInsertId } = await db.execute(
  "INSERT INTO demo_products(name, price, quantity) VALUES(?, ?, ?)",
  ["Widget A", 9.99, 100],
);
done(`Inserted: Widget A ($9.99, qty: 100) as id ${lastInsertId}`);

const select = "SELECT name, price, quantity FROM demo_products WHERE name = ?";
const { rows: [found] } = await db.query<Product>(select, ["Widget A"]);
done(`Found: ${found!.name} ($${found!.price}, qty: ${found!.quantity})`);

// Read, decide, write: one serializable unit. With the lock such units queue, without it they run again on conflict.
const updated = await db.transaction(async (tx) => {
  const { rows: [now] } = await tx.query<Product>(select, ["Widget A"]);
  const { rowsAffected } = await tx.execute(
    "UPDATE demo_products SET price = ?, quantity = ? WHERE name = ?",
    [now!.price + 3, now!.quantity - 15, "Widget A"],
  );
  return rowsAffected;
}, { lock });
done(`Updated: ${updated} row`);

const { rows: [verified] } = await db.query<Product>(select, ["Widget A"]);
const { price, quantity } = verified!;
done(`Verified: $${found!.price} → $${price}, qty: ${found!.quantity} → ${quantity}`);

await db.execute("DELETE FROM demo_products WHERE name = ?", ["Widget A"]);
done("Deleted: Widget A");

const { rows } = await db.query("SELECT * FROM demo_products");
done(`Table empty: ${rows.length} rows`);

await db.execute("DROP TABLE demo_products");
await db.close();
