import { analyse } from "../src/sql/analyse.ts";
import { prepare } from "../src/sql/prepare.ts";
import { split } from "../src/sql/split.ts";
import { tokenize } from "../src/sql/tokenize.ts";

const MEGABYTE = 1_000_000;

const page = `
-- Orders of the day
CREATE TABLE IF NOT EXISTS orders(id INTEGER PRIMARY KEY, customer TEXT NOT NULL, total REAL DEFAULT 0);
INSERT INTO orders(customer, total) VALUES('O''Hara & Söhne', 12.50), ('Widgets Ltd.', 1e3);
INSERT INTO "order_items" ("order_id", "product", "quantity", "price") VALUES (?, ?, ?, ?) RETURNING "id";
SELECT o.id, o.customer, count(*) AS items, sum(i.quantity * i.price) AS total
  FROM orders AS o JOIN order_items AS i ON i.order_id = o.id
 WHERE o.total >= :minimum AND o.customer LIKE 'W%' /* widgets only */
 GROUP BY o.id HAVING total > 0 ORDER BY total DESC LIMIT 10;
UPDATE orders SET total = total * 1.1, updated = datetime('now') WHERE id IN (SELECT order_id FROM order_items);
`;

const script = page.repeat(Math.ceil(MEGABYTE / page.length)).slice(0, MEGABYTE);
const megabytes = new TextEncoder().encode(script).length / MEGABYTE;

const insert = 'INSERT INTO "order_items" ("order_id", "product", "quantity") VALUES (?, ?, ?)';
const now = new Date();
let fresh = 0;

/** A text that no cache has seen, as long as `insert` and a little. */
function unseen(): string {
  return `${insert} -- ${fresh++}`;
}

/** Prints throughput once, as Deno.bench only shows times. */
function printThroughput(): void {
  const runs = Array.from({ length: 15 }, () => {
    const start = performance.now();
    tokenize(script);
    return performance.now() - start;
  }).sort((a, b) => a - b);
  const median = runs[7]!;
  const line = `tokenize: ${
    (megabytes / (median / 1000)).toFixed(0)
  } MB/s (median of ${runs.length})\n`;
  Deno.stdout.writeSync(new TextEncoder().encode(line));
}

printThroughput();

Deno.bench("tokenize() 1 MB of SQL", { group: "script" }, () => {
  tokenize(script);
});

Deno.bench("split() 1 MB of SQL", { group: "script" }, () => {
  split(script);
});

Deno.bench("analyse() a text seen before", { group: "analyse" }, () => {
  analyse(insert);
});

Deno.bench("analyse() a new text", { group: "analyse" }, () => {
  analyse(unseen());
});

Deno.bench("prepare() 3 values", { group: "prepare", baseline: true }, () => {
  prepare([insert, 1, "Widget", 2.5], { now });
});

Deno.bench("prepare() 3 values by name", { group: "prepare" }, () => {
  prepare(["INSERT INTO t VALUES(:a, :b, :c)", { a: 1, b: "Widget", c: 2.5 }], { now });
});

Deno.bench("prepare() 3 values, one of them 1 kB of bytes", { group: "prepare" }, () => {
  prepare([insert, 1, new Uint8Array(1000), 2.5], { now });
});

Deno.bench("prepare() a write with datetime('now')", { group: "prepare" }, () => {
  prepare(["UPDATE t SET a = datetime('now') WHERE id = ?", 1], { now });
});
