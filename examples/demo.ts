/**
 * The client at work: a table of products, from its creation to its end.
 *
 *     deno run -A examples/demo.ts                               on a database in memory
 *     deno run -A examples/demo.ts --url http://localhost:4001   on an rqlite server
 *
 * Also `bun examples/demo.ts` and `node examples/demo.ts`.
 */

import process from "node:process";
import { parseArgs } from "node:util";
// In your project these two are "@tangled/rqlite" and "@tangled/rqlite/embedded".
import {
  type Client,
  connect,
  ConnectionError,
  IntegrityError,
  type Param,
  RqliteError,
  sql,
} from "../mod.ts";
import { embedded } from "../src/embedded/mod.ts";
import { detail, done, failed, heading, table } from "./terminal.ts";

const USAGE = `Usage: deno run -A examples/demo.ts [--url http://user:password@host:4001]

Without --url the demo runs on a database in memory; no server is needed.`;

interface Product {
  id: number;
  name: string;
  price: number;
  quantity: number;
}

async function createTable(db: Client): Promise<void> {
  heading("Create a table");
  await db.execute(`
    CREATE TABLE demo_products (
      id       INTEGER PRIMARY KEY,
      name     TEXT NOT NULL UNIQUE,
      price    REAL NOT NULL,
      quantity INTEGER NOT NULL DEFAULT 0,
      serial   INTEGER,
      photo    BLOB
    )`);
  done("Table demo_products is ready");
}

async function insert(db: Client): Promise<void> {
  heading("Insert, with values by position and by name");
  const widget = await db.execute(
    "INSERT INTO demo_products(name, price, quantity) VALUES(?, ?, ?)",
    ["Widget A", 9.99, 100],
  );
  done(`Inserted Widget A ($9.99, 100 in stock) as id ${widget.lastInsertId}`);
  const gadget = await db.execute(
    "INSERT INTO demo_products(name, price, quantity) VALUES(:name, :price, :quantity)",
    { name: "Gadget B", price: 24.5, quantity: 12 },
  );
  done(`Inserted Gadget B ($24.50, 12 in stock) as id ${gadget.lastInsertId}`);
}

async function find(db: Client, name: string): Promise<Product> {
  const { rows } = await db.query<Product>(
    "SELECT id, name, price, quantity FROM demo_products WHERE name = ?",
    [name],
  );
  if (rows[0] === undefined) throw new Error(`There is no ${name}`);
  return rows[0];
}

async function read(db: Client): Promise<void> {
  heading("Read one row, and many");
  const { name, price, quantity } = await find(db, "Widget A");
  done(`Found ${name} (${dollars(price)}, ${quantity} in stock)`);
  const limit = 50;
  const { rows } = await db.query<Product>(
    sql`SELECT id, name, price, quantity FROM demo_products WHERE price < ${limit} ORDER BY id`,
  );
  done(`${rows.length} products cost less than ${dollars(limit)}`);
  table(rows.map((row) => ({ ...row, price: dollars(row.price) })));
}

async function update(db: Client): Promise<void> {
  heading("Update");
  const before = await find(db, "Widget A");
  const { rows: [after] } = await db.execute<Product>(
    "UPDATE demo_products SET price = ?, quantity = ? WHERE name = ? RETURNING price, quantity",
    [12.99, 85, "Widget A"],
  );
  const price = `${dollars(before.price)} → ${dollars(after!.price)}`;
  done(`Widget A: ${price}, ${before.quantity} → ${after!.quantity} in stock`);
}

async function batch(db: Client): Promise<void> {
  heading("Several statements, all or none");
  const take = "UPDATE demo_products SET quantity = quantity - ? WHERE name = ?";
  const results = await db.batch([
    [take, 5, "Widget A"],
    [take, 2, "Gadget B"],
    "SELECT sum(quantity) AS total FROM demo_products",
  ]);
  done(`Took 5 Widget A and 2 Gadget B; ${results[2]!.rows[0]!.total} pieces are left`);
}

async function meetAnError(db: Client): Promise<void> {
  heading("Meet an error");
  try {
    await db.batch([
      "UPDATE demo_products SET price = 0",
      ["INSERT INTO demo_products(name, price) VALUES(?, ?)", "Widget A", 1],
    ]);
  } catch (error) {
    if (!(error instanceof IntegrityError)) throw error;
    done(`${error.name}: ${error.message}`);
    detail(`code ${error.code}, constraint ${error.constraint}, statement ${error.statementIndex}`);
  }
  const { price } = await find(db, "Widget A");
  done(`The statement before it was undone: Widget A still costs ${dollars(price)}`);
}

async function keepValuesExact(db: Client): Promise<void> {
  heading("Values come back as they were sent");
  const sent = {
    price: 0.1 + 0.2,
    serial: 9_223_372_036_854_775_807n,
    photo: new Uint8Array([0xff, 0xd8, 0xff, 0xe0]),
  };
  await db.execute(
    "INSERT INTO demo_products(name, price, serial, photo) VALUES('Camera', :price, :serial, :photo)",
    sent,
  );
  const { rows: [received] } = await db.query<typeof sent>(
    "SELECT price, serial, photo FROM demo_products WHERE name = 'Camera'",
    [],
    { integers: "auto" },
  );
  const row = (type: string, key: keyof typeof sent) => {
    return { type, sent: shown(sent[key]), received: shown(received![key]) };
  };
  const rows = [row("REAL", "price"), row("INTEGER", "serial"), row("BLOB", "photo")];
  const same = rows.every((row) => row.sent === row.received);
  if (!same) throw new Error("A value came back changed");
  done("A fraction, a 64-bit integer and bytes, all the same");
  table(rows);
}

async function remove(db: Client): Promise<void> {
  heading("Delete");
  const one = await db.execute("DELETE FROM demo_products WHERE name = ?", ["Widget A"]);
  done(`Deleted Widget A (${one.rowsAffected} row)`);
  const rest = await db.execute("DELETE FROM demo_products");
  done(`Deleted the others (${rest.rowsAffected} rows)`);
  const { rows } = await db.query("SELECT * FROM demo_products");
  done(`Table empty: ${rows.length} rows`);
}

function dollars(amount: number): string {
  return `$${amount.toFixed(2)}`;
}

function shown(value: Param): string {
  if (value instanceof Uint8Array) return `bytes ${[...value].join(" ")}`;
  return typeof value === "bigint" ? `${value}n` : String(value);
}

const STORY = [
  createTable,
  insert,
  read,
  update,
  batch,
  meetAnError,
  keepValuesExact,
  remove,
];

async function demo(db: Client): Promise<void> {
  const dropTable = () => db.execute("DROP TABLE IF EXISTS demo_products");
  await dropTable();
  try {
    for (const step of STORY) await step(db);
  } finally {
    await dropTable();
  }
}

async function main(url: string | undefined): Promise<void> {
  const db = connect(url ?? embedded());
  try {
    heading(`rqlite ${url === undefined ? "in this process" : `at ${new URL(url).host}`}`);
    await demo(db);
    console.log("\nDone. The table is gone again.");
  } finally {
    await db.close();
  }
}

function explain(error: unknown): string {
  if (error instanceof ConnectionError) {
    return `${error.message}: is rqlite running there? Without --url the demo needs no server`;
  }
  // A wrong --url is a TypeError; anything else would be a mistake of the demo.
  if (error instanceof RqliteError || error instanceof TypeError) return error.message;
  throw error;
}

function readFlags(): { url?: string | undefined; help?: boolean | undefined } {
  try {
    return parseArgs({ options: { url: { type: "string" }, help: { type: "boolean" } } }).values;
  } catch (error) {
    failed(`${explain(error)}\n\n${USAGE}`);
    process.exit(2);
  }
}

const { url, help } = readFlags();
if (help) {
  console.log(USAGE);
} else {
  await main(url).catch((error: unknown) => {
    failed(explain(error));
    process.exitCode = 1;
  });
}
