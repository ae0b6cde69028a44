/**
 * A table of products by the DB-API, from its creation to its end.
 *
 *     deno run -A examples/dbapi/crud.ts                               on a database in memory
 *     deno run -A examples/dbapi/crud.ts --url http://localhost:4001   on an rqlite server
 *
 * Also with `bun` and `node`.
 */

// In your project these two are "@tangled/rqlite/dbapi" and "@tangled/rqlite/locks".
import { connect } from "../../src/dbapi/mod.ts";
import { LocalLock } from "../../src/locks/mod.ts";
import { done } from "../terminal.ts";
import { target } from "../target.ts";

// The lock is handed over once: each transaction takes it, commit() and rollback() free it.
const connection = connect(target(), { lock: new LocalLock("products") });
const cursor = connection.cursor();
try {
  await cursor.execute("DROP TABLE IF EXISTS demo_products");
  await cursor.execute(`
    CREATE TABLE demo_products (
      id       INTEGER PRIMARY KEY,
      name     TEXT NOT NULL,
      price    REAL NOT NULL,
      quantity INTEGER DEFAULT 0
    )`);
  await connection.commit();
  done("Table 'demo_products' ready");

  await cursor.execute(
    "INSERT INTO demo_products(name, price, quantity) VALUES(?, ?, ?)",
    ["Widget A", 9.99, 100],
  );
  await connection.commit();
  done(`Inserted: Widget A ($9.99, qty: 100) as id ${cursor.lastRowId}`);

  const select = "SELECT name, price, quantity FROM demo_products WHERE name = ?";
  await cursor.execute(select, ["Widget A"]);
  const [name, price, quantity] = (await cursor.fetchOne())!;
  done(`Found: ${name} ($${price}, qty: ${quantity})`);

  // Read, decide, write: commit() succeeds only if what was read still holds.
  await cursor.execute(
    "UPDATE demo_products SET price = ?, quantity = ? WHERE name = ?",
    [Number(price) + 3, Number(quantity) - 15, "Widget A"],
  );
  await connection.commit();
  done(`Updated: ${cursor.rowCount} row`);

  await cursor.execute(select, ["Widget A"]);
  const [, newPrice, newQuantity] = (await cursor.fetchOne())!;
  done(`Verified: $${price} → $${newPrice}, qty: ${quantity} → ${newQuantity}`);

  await cursor.execute("DELETE FROM demo_products WHERE name = ?", ["Widget A"]);
  await connection.commit();
  done("Deleted: Widget A");

  await cursor.execute("SELECT * FROM demo_products");
  done(`Table empty: ${(await cursor.fetchAll()).length} rows`);

  await cursor.execute("DROP TABLE demo_products");
  await connection.commit();
} finally {
  await cursor.close();
  await connection.close();
}
