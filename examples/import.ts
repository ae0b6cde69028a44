/**
 * A file of JSON lines into a table: read piece by piece, inserted in large requests, and taken up again where it broke off.
 *
 *     deno run -A examples/import.ts                               on a database in memory
 *     deno run -A examples/import.ts --url http://localhost:4001   on an rqlite server
 *
 * Also with `bun` and `node`.
 */

// In your project this is "@tangled/rqlite".
import { connect, DatabaseError } from "../mod.ts";
import { done, heading } from "./terminal.ts";
import { target } from "./target.ts";

interface Reading {
  sensor: number;
  celsius: number | null;
}

/** What a file would be, such as `(await Deno.open("readings.jsonl")).readable`, or the body of a response, as text. */
function file(): ReadableStream<string> {
  // The sensor of one row was out of order.
  const lines = Array.from({ length: 25_000 }, (_, sensor) => {
    return JSON.stringify({ sensor, celsius: sensor === 12_345 ? -400 : 20 + sensor % 7 });
  });
  return new Blob([lines.join("\n")]).stream().pipeThrough(new TextDecoderStream());
}

/** The rows of JSON lines, from one of them on; no more of them are held than are in a piece of the file. */
async function* readings(text: ReadableStream<string>, from = 0): AsyncGenerator<Reading> {
  let row = 0;
  let rest = "";
  for await (const piece of text) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop()!;
    for (const line of lines) if (row++ >= from) yield JSON.parse(line);
  }
  if (rest !== "" && row >= from) yield JSON.parse(rest);
}

const db = connect(target());
await db.execute("DROP TABLE IF EXISTS demo_readings");
await db.execute(
  "CREATE TABLE demo_readings(sensor INTEGER PRIMARY KEY, celsius REAL CHECK(celsius > -273))",
);

heading("A row is refused");
let kept = 0;
try {
  await db.insertMany("demo_readings", readings(file()), {
    onProgress: (rows) => done(`${rows} rows`),
  });
} catch (error) {
  if (!(error instanceof DatabaseError)) throw error;
  kept = error.rowsApplied ?? 0;
  done(`${error.name}: ${error.message}`);
  done(`Rows that are in: ${kept}`);
}

heading("The rest, with what cannot be read as NULL");
async function* mended(rows: AsyncIterable<Reading>): AsyncGenerator<Reading> {
  for await (const { sensor, celsius } of rows) {
    yield { sensor, celsius: celsius !== null && celsius > -273 ? celsius : null };
  }
}
const { rowsAffected } = await db.insertMany("demo_readings", mended(readings(file(), kept)));
done(`Inserted: ${rowsAffected}`);
const stored = await db.value("SELECT count(*) FROM demo_readings");
const unknown = await db.value("SELECT sensor FROM demo_readings WHERE celsius IS NULL");
done(`Stored: ${stored}; not known: sensor ${unknown}`);

await db.execute("DROP TABLE demo_readings");
await db.close();
