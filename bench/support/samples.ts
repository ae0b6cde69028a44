import { prepare, type Prepared } from "../../src/sql/prepare.ts";

const ROWS = 100_000;

/** An answer of 100,000 rows with 6 columns. */
function answer(id: (row: number) => string): string {
  const rows = Array.from({ length: ROWS }, (_, i) => {
    const score = (i * 0.37).toFixed(2);
    return `[${id(i)},"name ${i}","u${i}@example.com",${score},${i % 2 === 0},"note ${i % 100}"]`;
  });
  return `{"results":[{"columns":["id","name","email","score","active","note"],` +
    `"types":["integer","text","text","real","boolean","text"],"values":[${rows.join(",")}]}]}`;
}

/** An answer of 100,000 rows. */
export const plainAnswer: string = answer(String);

/** The same with ids that a double cannot hold. */
export const snowflakeAnswer: string = answer((i) =>
  String(1_795_354_305_950_081_028n + BigInt(i) * 4096n)
);

const INSERT = "INSERT INTO users VALUES(?, ?, ?, ?, ?)";

/** Statements with 10,000 parameters together. */
export const statements: readonly Prepared[] = Array.from(
  { length: 2000 },
  (_, i) =>
    prepare([INSERT, i, `name ${i}`, i / 3, null, `u${i}@example.com`], { now: new Date(0) }),
);

/** The same as plain lists. */
export const bareStatements: readonly unknown[] = statements.map(({ params }) => [
  INSERT,
  ...params,
]);

const PAGE = `
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

/** About a megabyte of SQL. */
export const script: string = PAGE.repeat(Math.ceil(1_000_000 / PAGE.length));
