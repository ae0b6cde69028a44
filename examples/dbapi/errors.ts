/**
 * Errors: their classes, what they tell, and what is left of the transaction.
 *
 *     deno run -A examples/dbapi/errors.ts                               on a database in memory
 *     deno run -A examples/dbapi/errors.ts --url http://localhost:4001   on an rqlite server
 *
 * Also with `bun` and `node`.
 */

// In your project this is "@tangled/rqlite/dbapi".
import {
  connect,
  DatabaseError,
  Error as DbapiError,
  IntegrityError,
  InterfaceError,
} from "../../src/dbapi/mod.ts";
import { detail, done } from "../terminal.ts";
import { target } from "../target.ts";

const connection = connect(target());
const cursor = connection.cursor();
await cursor.execute("DROP TABLE IF EXISTS demo_users");
await cursor.execute(
  "CREATE TABLE demo_users(email TEXT NOT NULL UNIQUE, age INTEGER CHECK(age >= 0))",
);
await cursor.execute("INSERT INTO demo_users VALUES('ada@example.com', 36)");

const attempts: [string, (string | number | null)[]][] = [
  ["INSERT INTO demo_users VALUES(?, ?)", ["ada@example.com", 1]],
  ["INSERT INTO demo_users VALUES(?, ?)", [null, 1]],
  ["INSERT INTO demo_users VALUES(?, ?)", ["bob@example.com", -1]],
  ["INSERT INTO demo_users VALUES(?, ?)", ["bob@example.com"]],
  ["SELEC * FROM demo_users", []],
  ["SELECT * FROM demo_nobody", []],
  ["VACUUM", []],
];
for (const [sql, params] of attempts) {
  try {
    await cursor.execute(sql, params);
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    done(`${error.name}: ${error.message}`);
    if (error instanceof IntegrityError) {
      detail(`constraint ${error.constraint}, columns ${error.columns.join(", ") || "unknown"}`);
    }
  }
}

await connection.commit();
await cursor.execute("SELECT count(*) FROM demo_users");
done(`A failed statement changes nothing, and the transaction goes on: ${await cursor.fetchOne()}`);

const rows = [["eve@example.com", 1], ["ada@example.com", 2]];
await cursor.executeMany("INSERT INTO demo_users VALUES(?, ?)", rows).catch((error) => {
  done(`${error.name} among many rows: none of them is kept`);
});

await cursor.execute("DROP TABLE demo_users");
await connection.commit();
await connection.close();
try {
  await cursor.execute("SELECT 1");
} catch (error) {
  if (!(error instanceof InterfaceError)) throw error;
  done(`${error.name}, which is a DB-API Error: ${error instanceof DbapiError}`);
}
