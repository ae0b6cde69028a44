/**
 * Read levels: how current a read has to be.
 *
 *     deno run -A examples/dbapi/read_levels.ts                               on a database in memory
 *     deno run -A examples/dbapi/read_levels.ts --url http://localhost:4001   on an rqlite server
 *
 * Also with `bun` and `node`.
 */

// In your project this is "@tangled/rqlite/dbapi".
import { connect, type ConnectionOptions } from "../../src/dbapi/mod.ts";
import { done } from "../terminal.ts";
import { target } from "../target.ts";

const place = target();
const setup = connect(place, { autocommit: true });
await setup.execute("DROP TABLE IF EXISTS demo_prices");
await setup.execute("CREATE TABLE demo_prices(item TEXT, price REAL)");
await setup.execute("INSERT INTO demo_prices VALUES('pen', 1.5)");

const levels: [ConnectionOptions, string][] = [
  [{ level: "none", freshness: 60_000 }, "any node, if it heard from the leader within a minute"],
  [{ level: "weak" }, "the leader, by its own word"],
  [{ level: "linearizable" }, "the leader, after a quorum confirmed it; the default"],
  [{ level: "strong" }, "through the Raft log"],
  [{ level: "auto" }, "weak on a voter, none on a read replica"],
];
for (const [options, who] of levels) {
  const connection = connect(place, { ...options, autocommit: true });
  const cursor = await connection.execute("SELECT price FROM demo_prices");
  done(`${options.level}: ${await cursor.fetchOne()} — ${who}`);
  await connection.close();
}

// In a transaction the level matters less: what was read is checked again at commit, on the newest state.
const connection = connect(place, { level: "none" });
await connection.execute("SELECT price FROM demo_prices");
await connection.commit();
done("commit() proves what was read, whatever the level");
await connection.close();

await setup.execute("DROP TABLE demo_prices");
await setup.close();
