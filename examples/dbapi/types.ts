/**
 * Types: what is bound, what comes back, and what the description tells.
 *
 *     deno run -A examples/dbapi/types.ts                               on a database in memory
 *     deno run -A examples/dbapi/types.ts --url http://localhost:4001   on an rqlite server
 *
 * Also with `bun` and `node`.
 */

// In your project this is "@tangled/rqlite/dbapi".
import {
  BINARY,
  Binary,
  connect,
  Date as DateOf,
  DATETIME,
  NUMBER,
  STRING,
  Timestamp,
} from "../../src/dbapi/mod.ts";
import { done, table } from "../terminal.ts";
import { target } from "../target.ts";

const connection = connect(target(), { integers: "auto" });
const cursor = connection.cursor();
await cursor.execute("DROP TABLE IF EXISTS demo_types");
await cursor.execute(
  "CREATE TABLE demo_types(title TEXT, big INTEGER, ratio REAL, photo BLOB, day TEXT, at DATETIME, gone TEXT)",
);
const photo = Binary([0xff, 0xd8, 0x00, 0x27]);
await cursor.execute("INSERT INTO demo_types VALUES(?, ?, ?, ?, ?, ?, ?)", [
  "it's x'41'",
  9_223_372_036_854_775_807n,
  0.1 + 0.2,
  photo,
  DateOf(2002, 12, 25),
  Timestamp(2002, 12, 25, 13, 45, 30),
  null,
]);
await connection.commit();

await cursor.execute("SELECT * FROM demo_types");
const types = { STRING, NUMBER, BINARY, DATETIME };
const [row] = await cursor.fetchAll();
table(cursor.description!.map(([name, code], i) => {
  const value = row![i]!;
  const kind = Object.values(types).find((type) => type.includes(code))?.name;
  const shown = value instanceof Uint8Array ? `bytes ${[...value].join(" ")}` : String(value);
  return { column: name, declared: code, kind, value: shown };
}));

const bytes = row![3] as Uint8Array;
done(`The photo came back whole: ${bytes.every((byte, i) => byte === photo[i])}`);
done(`A 64-bit integer is a ${typeof row![1]}, a fraction a ${typeof row![2]}`);

await cursor.execute("SELECT title, photo FROM demo_types WHERE 0");
done(`Columns without a row: ${cursor.description!.map(([name]) => name).join(", ")}`);

await cursor.execute("DROP TABLE demo_types");
await connection.commit();
await connection.close();
