/**
 * Commit, rollback, conflicts and autocommit.
 *
 *     deno run -A examples/dbapi/transactions.ts                               on a database in memory
 *     deno run -A examples/dbapi/transactions.ts --url http://localhost:4001   on an rqlite server
 *
 * Also with `bun` and `node`.
 */

// In your project this is "@tangled/rqlite/dbapi".
import { connect, type Connection, run, TransactionConflictError } from "../../src/dbapi/mod.ts";
import { done, heading } from "../terminal.ts";
import { target } from "../target.ts";

const place = target();
const [connection, other] = [connect(place), connect(place)];

async function total(connection: Connection): Promise<unknown> {
  const cursor = await connection.execute("SELECT sum(balance) FROM demo_accounts");
  return (await cursor.fetchOne())?.[0];
}

heading("commit() makes it visible, all at once");
await connection.execute("DROP TABLE IF EXISTS demo_accounts");
await connection.execute("CREATE TABLE demo_accounts(id INTEGER PRIMARY KEY, balance INTEGER)");
await connection.execute("INSERT INTO demo_accounts VALUES(1, 100)");
await connection.commit();
await connection.execute("INSERT INTO demo_accounts VALUES(2, 50)");
done(`Before: this connection sees ${await total(connection)}, another ${await total(other)}`);
await other.rollback();
await connection.commit();
done(`After: another sees ${await total(other)}`);
await other.rollback();

heading("rollback() forgets it");
await connection.execute("DELETE FROM demo_accounts");
await connection.execute("CREATE TABLE demo_mistake(n INTEGER)");
await connection.rollback();
done(`Still ${await total(connection)}, and no table demo_mistake`);
await connection.rollback();

heading("commit() refuses what was read too early");
const cursor = await connection.execute("SELECT balance FROM demo_accounts WHERE id = 1");
const [balance] = (await cursor.fetchOne())!;
await other.execute("UPDATE demo_accounts SET balance = balance - 30 WHERE id = 1");
await other.commit();
await cursor.execute("UPDATE demo_accounts SET balance = ? WHERE id = 1", [Number(balance) - 10]);
try {
  await connection.commit();
} catch (error) {
  if (!(error instanceof TransactionConflictError)) throw error;
  done(`${error.name}, retryable: ${error.retryable}; nothing was kept`);
}

heading("run() does it again until it holds");
await run(connection, async () => {
  const cursor = await connection.execute("SELECT balance FROM demo_accounts WHERE id = 1");
  const [balance] = (await cursor.fetchOne())!;
  await cursor.execute("UPDATE demo_accounts SET balance = ? WHERE id = 1", [Number(balance) - 10]);
});
done(`Total ${await total(connection)}`);
await connection.rollback();

heading("With autocommit each statement stands for itself, until BEGIN");
connection.autocommit = true;
await connection.execute("UPDATE demo_accounts SET balance = 0 WHERE id = 2");
done(`In a transaction: ${connection.inTransaction}; another sees ${await total(other)}`);
await connection.execute("BEGIN");
await connection.execute("DELETE FROM demo_accounts");
await connection.execute("ROLLBACK");
done(`Total ${await total(connection)}`);

await connection.execute("DROP TABLE demo_accounts");
await connection.close();
await other.close();
