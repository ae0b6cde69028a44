// A shop as people build one, and what its customers do, whichever the ORM is.

/** The tables of the shop. The trigger copies a time, which the client froze; it does not read the clock. */
export const SHOP: readonly string[] = [
  `CREATE TABLE customers(id INTEGER PRIMARY KEY AUTOINCREMENT, email TEXT NOT NULL UNIQUE COLLATE NOCASE,
    visits INTEGER NOT NULL DEFAULT 1, settings TEXT NOT NULL DEFAULT '{}', created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP)`,
  `CREATE TABLE products(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, price REAL NOT NULL,
    stock INTEGER NOT NULL CHECK (stock >= 0), updated_at INTEGER)`,
  `CREATE TABLE orders(id INTEGER PRIMARY KEY AUTOINCREMENT, customer_id INTEGER NOT NULL REFERENCES customers(id) ON DELETE CASCADE,
    total REAL NOT NULL DEFAULT 0, token TEXT NOT NULL DEFAULT (lower(hex(randomblob(8)))),
    placed_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')))`,
  `CREATE TABLE order_lines(order_id INTEGER NOT NULL REFERENCES orders(id) ON DELETE CASCADE,
    product_id INTEGER NOT NULL REFERENCES products(id), amount INTEGER NOT NULL, PRIMARY KEY (order_id, product_id)) WITHOUT ROWID`,
  "CREATE TABLE movements(id INTEGER PRIMARY KEY, product TEXT NOT NULL, change INTEGER NOT NULL, at INTEGER)",
  `CREATE TRIGGER products_moved AFTER UPDATE OF stock ON products WHEN new.stock <> old.stock
    BEGIN INSERT INTO movements(product, change, at) VALUES(new.name, new.stock - old.stock, new.updated_at); END`,
  "CREATE TABLE reviews(id INTEGER PRIMARY KEY, title TEXT NOT NULL, body TEXT NOT NULL)",
  "CREATE VIRTUAL TABLE reviews_search USING fts5(title, body, content='reviews', content_rowid='id')",
  `CREATE TRIGGER reviews_new AFTER INSERT ON reviews
    BEGIN INSERT INTO reviews_search(rowid, title, body) VALUES(new.id, new.title, new.body); END`,
  `CREATE TRIGGER reviews_gone AFTER DELETE ON reviews
    BEGIN INSERT INTO reviews_search(reviews_search, rowid, title, body) VALUES('delete', old.id, old.title, old.body); END`,
  `CREATE TRIGGER reviews_changed AFTER UPDATE ON reviews BEGIN
    INSERT INTO reviews_search(reviews_search, rowid, title, body) VALUES('delete', old.id, old.title, old.body);
    INSERT INTO reviews_search(rowid, title, body) VALUES(new.id, new.title, new.body); END`,
  `CREATE VIEW spent AS SELECT c.id, c.email, count(o.id) AS orders, coalesce(sum(o.total), 0) AS total
    FROM customers c LEFT JOIN orders o ON o.customer_id = c.id GROUP BY c.id`,
];

/**
 * The total of an order that was read behind its own INSERT, or `NaN` if that is not what was inserted: a transaction that
 * commits must never have seen this, while one that will not may have.
 */
export function totalOf<Order extends { readonly total: number; readonly token: string }>(
  read: Order | undefined,
  inserted: Order,
  placedAt: keyof Order,
): number {
  const same = read?.token === inserted.token && read[placedAt] === inserted[placedAt];
  return same ? read.total : NaN;
}

/** A write was applied whose answer was lost, and with it the id of its row. */
export class IdLostError extends Error {}

/** @throws {IdLostError} If there is none. */
export function known(id: number | bigint | undefined): number {
  if (id === undefined) throw new IdLostError("The row was inserted, and its id is lost");
  return Number(id);
}

/** What an ORM can do of the shop. */
export interface Shop {
  /** Inserts the customer, or counts a visit. @returns How often it came. */
  visit(email: string): Promise<number>;
  /** In one transaction: orders one of each product, whose stock goes down. @returns The total. */
  order(email: string, products: readonly number[]): Promise<number>;
  /** Writes a review, corrects it, and finds it by its word. @returns The titles that were found. */
  review(word: string): Promise<readonly string[]>;
  /** In one transaction that holds another, which fails: a product that stays and one that does not. */
  stock(name: string): Promise<void>;
  /** Deletes the customer with all orders. @returns How many customers that were. */
  leave(email: string): Promise<number>;
  /** The view of what was spent, by email. */
  spent(): Promise<readonly { email: string; orders: number }[]>;
}
