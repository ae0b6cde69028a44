/**
 * A backup of one cluster, restored into another, and compared row by row.
 *
 *     deno run -A examples/backup.ts                                                              in memory
 *     deno run -A examples/backup.ts --from http://localhost:4001 --to http://localhost:4011     on rqlite servers
 *
 * Also with `bun` and `node`. **What the second one had is gone behind it.**
 */

// In your project these are "@tangled/rqlite" and "@tangled/rqlite/embedded".
import { parseArgs } from "node:util";
import { connect } from "../mod.ts";
import { embedded } from "../src/embedded/mod.ts";
import { done, heading } from "./terminal.ts";

const { values } = parseArgs({ options: { from: { type: "string" }, to: { type: "string" } } });
const from = connect(values.from ?? embedded());
const to = connect(values.to ?? embedded());

await from.batch([
  "CREATE TABLE IF NOT EXISTS demo_songs(id INTEGER PRIMARY KEY, title TEXT, cover BLOB)",
  ["INSERT INTO demo_songs(title, cover) VALUES(?, ?)", "So What", new Uint8Array([255, 0])],
  ["INSERT INTO demo_songs(title, cover) VALUES(?, ?)", "Blue in Green", null],
]);

heading("Backup and restore");
let size = 0;
await to.load(await from.backup({ onProgress: (bytes) => size = bytes }));
done(`Loaded ${size} bytes`);

heading("Row by row");
const TABLES =
  "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB '_rqlite_*' AND name NOT GLOB 'sqlite_*'";
for (const { name } of (await from.query<{ name: string }>(TABLES)).rows) {
  const all = `SELECT * FROM "${name.replaceAll('"', '""')}"`;
  const [here, there] = await Promise.all([from, to].map((db) => db.query(all)));
  const equal = JSON.stringify(here!.rows, exact) === JSON.stringify(there!.rows, exact);
  if (!equal) throw new Error(`${name} differs`);
  done(`${name}: ${there!.rows.length} rows, equal`);
}
await Promise.all([from.close(), to.close()]);

/** What JSON has no form for. */
function exact(_: string, value: unknown): unknown {
  return value instanceof Uint8Array ? [...value] : value;
}
