/**
 * A connection to a cluster: several nodes, one of which may be down.
 *
 *     deno run -A examples/dbapi/cluster.ts                                       two nodes, played in this process
 *     deno run -A examples/dbapi/cluster.ts --url http://n1:4001 --url http://n2:4001   your own
 *
 * Also with `bun` and `node`.
 */

import { parseArgs } from "node:util";
// In your project these are "@tangled/rqlite/dbapi" and "@tangled/rqlite/embedded".
import { connect, type ConnectionOptions } from "../../src/dbapi/mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { done } from "../terminal.ts";

/** Nobody listens on the first node; the second is a database in this process. */
function played(): ConnectionOptions {
  const engine = embedded();
  const refused = Object.assign(new TypeError("fetch failed"), { code: "ECONNREFUSED" });
  return {
    url: ["http://node1:4001", "http://node2:4001"],
    fetch: (input, init) =>
      new URL(input instanceof Request ? input.url : input).hostname === "node1"
        ? Promise.reject(refused)
        : engine.fetch(input, init),
  };
}

const { values } = parseArgs({ options: { url: { type: "string", multiple: true } } });
const attempts = new Map<string, number>();

const connection = connect({
  ...(values.url === undefined ? played() : { url: values.url }),
  // Told after each attempt; here only to show who answers.
  onRequest: ({ node }) => void attempts.set(node, (attempts.get(node) ?? 0) + 1),
});
const cursor = connection.cursor();
await cursor.execute("DROP TABLE IF EXISTS demo_events");
await cursor.execute("CREATE TABLE demo_events(id INTEGER PRIMARY KEY, what TEXT)");
await cursor.executeMany("INSERT INTO demo_events(what) VALUES(?)", [["started"], ["grew"]]);
await connection.commit();
await cursor.execute("SELECT id, what FROM demo_events ORDER BY id");
for await (const [id, what] of cursor) done(`Event ${id}: ${what}`);
await cursor.execute("DROP TABLE demo_events");
await connection.commit();
await connection.close();

for (const [node, count] of attempts) {
  done(`${node} was asked ${count > 1 ? "again and again" : "once"}`);
}
