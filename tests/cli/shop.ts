// A schema as people have them, and odder ones; run by itself it writes the types that the test compares with and uses.
import { writeFileSync } from "node:fs";
import { type Client, connect } from "../../mod.ts";
import { schemaTypes } from "../../src/cli/types/schema_types.ts";
import { withServedTypes } from "../../src/cli/types/served_types.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { inspect } from "../../src/inspect/mod.ts";

/** What makes the tables. */
export const SHOP = `
CREATE TABLE users(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  email TEXT NOT NULL UNIQUE COLLATE NOCASE,
  first_name VARCHAR(40) NOT NULL,
  last_name VARCHAR(40),
  full_name TEXT GENERATED ALWAYS AS (first_name || ' ' || coalesce(last_name, '')) STORED,
  role TEXT NOT NULL DEFAULT 'customer' CHECK (role IN ('customer', 'staff', 'it''s me')),
  active BOOLEAN NOT NULL DEFAULT 1,
  balance DECIMAL(10, 2) NOT NULL DEFAULT 0,
  rating REAL DEFAULT 2.5,
  photo BLOB,
  settings JSON NOT NULL DEFAULT '{}',
  born DATE,
  referred_by INTEGER REFERENCES users(id) ON DELETE SET NULL,
  favourite INTEGER REFERENCES products ON UPDATE CASCADE ON DELETE SET NULL,
  created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
  seen_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);
CREATE INDEX users_name ON users(last_name DESC, lower(first_name)) WHERE last_name IS NOT NULL;
CREATE UNIQUE INDEX users_email ON users(email);
CREATE TABLE products(
  id INTEGER PRIMARY KEY,
  sku TEXT NOT NULL,
  owner INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  price INTEGER NOT NULL CONSTRAINT positive CHECK (price > 0),
  tax INTEGER NOT NULL DEFAULT 0 CHECK (tax IN (-1, 0, 19)),
  gross INTEGER AS (price + price * tax / 100) NOT NULL,
  state TEXT COLLATE NOCASE CHECK (state IN ('new', 'old')),
  CONSTRAINT one_sku UNIQUE (owner, sku)
);
CREATE TABLE tags(name TEXT PRIMARY KEY, color TEXT);
CREATE TABLE product_tags(
  product_id INTEGER NOT NULL REFERENCES products(id) ON DELETE CASCADE,
  tag TEXT NOT NULL REFERENCES tags(name),
  added INTEGER DEFAULT (unixepoch()),
  PRIMARY KEY (product_id, tag)
) WITHOUT ROWID;
CREATE TABLE tag_notes(
  product_id INTEGER NOT NULL,
  tag TEXT NOT NULL,
  note TEXT NOT NULL,
  CONSTRAINT of_tag FOREIGN KEY (product_id, tag) REFERENCES product_tags ON DELETE CASCADE
);
CREATE TABLE events(
  id TEXT PRIMARY KEY,
  at REAL NOT NULL,
  payload BLOB NOT NULL DEFAULT x'00',
  count INT NOT NULL DEFAULT -1,
  extra ANY
) STRICT;
CREATE TABLE untyped(a, b DEFAULT "text", c UUID, d JSONB);
CREATE TABLE int_key(id INT PRIMARY KEY, at TIMESTAMP NOT NULL DEFAULT '2020-01-02 03:04:05');
CREATE TABLE "order items"("order" INTEGER PRIMARY KEY, "unit price" REAL NOT NULL, unitPrice REAL);
CREATE TABLE "Order-Items"("a ""quoted"" name" TEXT, "\`\${x}\\" TEXT DEFAULT '\`\${x}\\' CHECK ("\`\${x}\\" <> '\`'));
CREATE TABLE constructor(constructor TEXT, __proto__ TEXT NOT NULL, prototype TEXT, getSQL TEXT, _ TEXT);
CREATE TABLE class(text TEXT, "table" TEXT, größe INTEGER, "2fa" INTEGER, "!" INTEGER, "line
break" TEXT);
CREATE TABLE date(date DATE);
CREATE TABLE umlauts("Ä" TEXT NOT NULL UNIQUE, "ä" TEXT);
CREATE TABLE text(t INTEGER REFERENCES gone(x), "table" TEXT REFERENCES "TABLE"("table"));
CREATE TABLE "table"("table" TEXT PRIMARY KEY);
CREATE TABLE DB(id INTEGER PRIMARY KEY);
CREATE VIRTUAL TABLE search USING fts5(title, body, product_id UNINDEXED, tokenize = 'ascii');
CREATE VIEW staff AS SELECT id, email, active, created_at, photo FROM users WHERE role = 'staff';
CREATE VIEW sums AS SELECT role, count(*) AS n, CAST(sum(balance) AS REAL) AS total, max(photo) AS photo
  FROM users GROUP BY role;
CREATE VIEW both AS SELECT active, born, last_name FROM users UNION ALL SELECT price, sku, state FROM products;
CREATE VIEW bare AS SELECT a FROM untyped;
CREATE VIEW broken AS SELECT * FROM dropped;`;

/** A database in memory with these tables. */
export async function openShop(): Promise<Client> {
  const db = connect(embedded());
  await db.script(SHOP);
  return db;
}

/** What is made of them, by the files in `generated/`. */
export async function shopTypes(db: Client): Promise<Record<string, string>> {
  const schema = await withServedTypes(db, await inspect(db), {});
  const options = { integers: "number", exclude: [] } as const;
  const drizzle = schemaTypes(schema, { target: "drizzle", ...options });
  return {
    "plain.ts": schemaTypes(schema, { target: "plain", ...options }),
    "kysely.ts": schemaTypes(schema, { target: "kysely", ...options }),
    "drizzle.ts": drizzle,
    "drizzle_v1.ts": drizzle.replaceAll('"drizzle-orm', '"drizzle-orm-v1'),
  };
}

if (import.meta.main) {
  const db = await openShop();
  for (const [file, text] of Object.entries(await shopTypes(db))) {
    writeFileSync(new URL(`generated/${file}`, import.meta.url), text);
  }
  await db.close();
}
