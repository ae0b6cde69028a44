/**
 * Bank transfers by many tasks at once: the total never changes with transactions, and does without.
 *
 *     deno run -A examples/transfer.ts                               on a database in memory
 *     deno run -A examples/transfer.ts --url http://localhost:4001   on an rqlite server
 *
 * Also `bun examples/transfer.ts` and `node examples/transfer.ts`.
 */

import process from "node:process";
import { parseArgs } from "node:util";
// In your project these two are "@tangled/rqlite" and "@tangled/rqlite/embedded".
import { type Client, connect, type Executor } from "../mod.ts";
import { embedded } from "../src/embedded/mod.ts";
import { detail, done, heading } from "./terminal.ts";

const ACCOUNTS = 5;
const TASKS = 8;
const TRANSFERS = 10;
const START = 100;

async function open(db: Client): Promise<void> {
  await db.execute("DROP TABLE IF EXISTS demo_accounts");
  await db.execute("CREATE TABLE demo_accounts(id INTEGER PRIMARY KEY, balance INTEGER NOT NULL)");
  const ids = Array.from({ length: ACCOUNTS }, (_, i) => i + 1);
  await db.batch(ids.map((id) => ["INSERT INTO demo_accounts VALUES(?, ?)", id, START]));
}

async function balance(db: Executor, id: number): Promise<number> {
  const { rows } = await db.query<{ balance: number }>(
    "SELECT balance FROM demo_accounts WHERE id = ?",
    [id],
  );
  return rows[0]!.balance;
}

/** Reads both balances, decides, and writes both: three steps that belong together. */
async function transfer(db: Executor, from: number, to: number, amount: number): Promise<void> {
  const [left, right] = await Promise.all([balance(db, from), balance(db, to)]);
  if (left < amount) return;
  await Promise.all([
    db.execute("UPDATE demo_accounts SET balance = ? WHERE id = ?", [left - amount, from]),
    db.execute("UPDATE demo_accounts SET balance = ? WHERE id = ?", [right + amount, to]),
  ]);
}

async function run(db: Client, make: (from: number, to: number) => Promise<void>): Promise<void> {
  await open(db);
  const pick = (): number => 1 + Math.floor(Math.random() * ACCOUNTS);
  const task = async (): Promise<void> => {
    for (let i = 0; i < TRANSFERS; i++) {
      const [from, to] = [pick(), pick()];
      if (from !== to) await make(from, to);
    }
  };
  await Promise.all(Array.from({ length: TASKS }, task));
  const { rows: [row] } = await db.query<{ total: number }>(
    "SELECT sum(balance) AS total FROM demo_accounts",
  );
  done(`${TASKS} tasks made ${TRANSFERS} transfers each: ${START * ACCOUNTS} became ${row!.total}`);
}

const { values } = parseArgs({ options: { url: { type: "string" } } });
let runs = 0;
const options = { transaction: { retries: 1000 } };
const db = values.url === undefined
  ? connect({ ...embedded(), ...options })
  : connect(values.url, options);

heading("Without transactions");
await run(db, (from, to) => transfer(db, from, to, 10));
detail("Money was made or lost: between reading and writing, another task changed the balances");

heading("With transactions");
let made = 0;
await run(db, async (from, to) => {
  made++;
  await db.transaction((tx) => {
    runs++;
    return transfer(tx, from, to, 10);
  });
});
detail(`${made} transfers took ${runs} runs: those that collided ran again`);

await db.execute("DROP TABLE demo_accounts");
await db.close();
process.exitCode = 0;
