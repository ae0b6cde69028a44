/**
 * Values by position and by name, and many rows at once.
 *
 *     deno run -A examples/dbapi/parameters.ts                               on a database in memory
 *     deno run -A examples/dbapi/parameters.ts --url http://localhost:4001   on an rqlite server
 *
 * Also with `bun` and `node`.
 */

// In your project this is "@tangled/rqlite/dbapi".
import { connect, ProgrammingError } from "../../src/dbapi/mod.ts";
import { done } from "../terminal.ts";
import { target } from "../target.ts";

const connection = connect(target());
const cursor = connection.cursor();
await cursor.execute("DROP TABLE IF EXISTS demo_people");
await cursor.execute("CREATE TABLE demo_people(name TEXT, born INTEGER)");

await cursor.execute("INSERT INTO demo_people VALUES(?, ?)", ["Ada", 1815]);
await cursor.execute("INSERT INTO demo_people VALUES(?2, ?1)", [1906, "Grace"]);
done("By position: ? and ?1");

await cursor.execute("INSERT INTO demo_people VALUES(:name, :born)", {
  name: "Edsger",
  born: 1930,
});
await cursor.execute("INSERT INTO demo_people VALUES(@name, $born)", {
  name: "Donald",
  born: 1938,
});
done("By name: :name, @name and $name");

const evil = "Robert'); DROP TABLE demo_people; --";
await cursor.execute("INSERT INTO demo_people VALUES(?, ?)", [evil, null]);
done("Values are bound, never pasted: a quote does no harm");

await cursor.executeMany("INSERT INTO demo_people VALUES(?, ?)", [["Barbara", 1939], [
  "Ken",
  1943,
]]);
done(`Many rows: ${cursor.rowCount} inserted`);

const wrong: [string, unknown][] = [
  ["too few", ["Ada"]],
  ["too many", ["Ada", 1815, "Lovelace"]],
  ["an object for ?", { name: "Ada", born: 1815 }],
];
for (const [what, params] of wrong) {
  try {
    await cursor.execute("INSERT INTO demo_people VALUES(?, ?)", params as []);
  } catch (error) {
    if (!(error instanceof ProgrammingError)) throw error;
    done(`Refused, ${what}: ${error.message}`);
  }
}

await cursor.execute("SELECT name, born FROM demo_people WHERE born BETWEEN :from AND :to", {
  from: 1900,
  to: 1940,
});
for await (const [name, born] of cursor) done(`Born ${born}: ${name}`);

await cursor.execute("DROP TABLE demo_people");
await connection.commit();
await connection.close();
