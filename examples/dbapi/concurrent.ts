/**
 * Concurrent tasks on the same rows: a connection for each, and run() for what collides.
 *
 *     deno run -A examples/dbapi/concurrent.ts                               on a database in memory
 *     deno run -A examples/dbapi/concurrent.ts --url http://localhost:4001   on an rqlite server
 *
 * Also with `bun` and `node`.
 */

// In your project this is "@tangled/rqlite/dbapi".
import { connect, type Connection, run } from "../../src/dbapi/mod.ts";
import { detail, done } from "../terminal.ts";
import { target } from "../target.ts";

const TASKS = 4;
const ROUNDS = 10;

const place = target();
const setup = connect(place, { autocommit: true });
await setup.execute("DROP TABLE IF EXISTS demo_tickets");
await setup.execute("CREATE TABLE demo_tickets(id INTEGER PRIMARY KEY, left INTEGER)");
await setup.execute("INSERT INTO demo_tickets VALUES(1, 50)");

let runs = 0;

/** Reads, decides, writes: without a transaction two buyers would get the same ticket. */
async function buy(connection: Connection): Promise<void> {
  runs++;
  const cursor = await connection.execute("SELECT left FROM demo_tickets WHERE id = 1");
  const [left] = (await cursor.fetchOne())!;
  if (Number(left) === 0) throw new Error("Sold out");
  await cursor.execute("UPDATE demo_tickets SET left = ? WHERE id = 1", [Number(left) - 1]);
}

async function task(): Promise<void> {
  // A connection belongs to one task: it holds the transaction.
  const connection = connect(place);
  for (let i = 0; i < ROUNDS; i++) await run(connection, buy, { retries: 1000 });
  await connection.close();
}
await Promise.all(Array.from({ length: TASKS }, task));

const cursor = await setup.execute("SELECT left FROM demo_tickets");
done(
  `${TASKS} tasks bought ${ROUNDS} tickets each: of 50 there are ${await cursor.fetchOne()} left`,
);
detail(`${TASKS * ROUNDS} purchases took ${runs} runs: those that collided ran again`);

await setup.execute("DROP TABLE demo_tickets");
await setup.close();
