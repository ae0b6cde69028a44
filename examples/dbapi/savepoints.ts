/**
 * Savepoints: parts of a transaction that can be undone.
 *
 *     deno run -A examples/dbapi/savepoints.ts                               on a database in memory
 *     deno run -A examples/dbapi/savepoints.ts --url http://localhost:4001   on an rqlite server
 *
 * Also with `bun` and `node`.
 */

// In your project this is "@tangled/rqlite/dbapi".
import { connect, IntegrityError } from "../../src/dbapi/mod.ts";
import { done } from "../terminal.ts";
import { target } from "../target.ts";

const connection = connect(target());
const cursor = connection.cursor();
await cursor.execute("DROP TABLE IF EXISTS demo_orders");
await cursor.execute("CREATE TABLE demo_orders(id INTEGER PRIMARY KEY, item TEXT UNIQUE)");

for (const item of ["pen", "paper", "pen", "ink"]) {
  await cursor.execute("SAVEPOINT one_item");
  try {
    await cursor.execute("INSERT INTO demo_orders(item) VALUES(?)", [item]);
    await cursor.execute("RELEASE one_item");
    done(`Ordered ${item}`);
  } catch (error) {
    if (!(error instanceof IntegrityError)) throw error;
    await cursor.execute("ROLLBACK TO one_item");
    await cursor.execute("RELEASE one_item");
    done(`Skipped ${item}: ${error.constraint}`);
  }
}

await cursor.execute("SAVEPOINT outer_one");
await cursor.execute("DELETE FROM demo_orders");
await cursor.execute("SAVEPOINT inner_one");
await cursor.execute("INSERT INTO demo_orders(item) VALUES('chalk')");
await cursor.execute("ROLLBACK TO outer_one");
done("ROLLBACK TO undoes what came since, inner savepoints included");
await connection.commit();

await cursor.execute("SELECT item FROM demo_orders ORDER BY id");
done(`Stored: ${(await cursor.fetchAll()).flat().join(", ")}`);

await cursor.execute("DROP TABLE demo_orders");
await connection.commit();
await connection.close();
