/**
 * Processes raise a counter under a lock that is kept in rqlite itself: nothing else is needed.
 *
 *     deno run -A examples/locks/rqlite.ts --url=http://localhost:4001
 *
 * Also `bun examples/locks/rqlite.ts` and `node examples/locks/rqlite.ts`.
 */

import { parseArgs } from "node:util";
import { connect } from "../../mod.ts";
import { RqliteLock } from "../../src/locks/rqlite.ts";
import { ARGS, race, work } from "./counter.ts";

const { values: { url, worker } } = parseArgs({ options: ARGS });

if (worker === undefined) await race(import.meta.url, url);
else {
  const client = connect(url);
  const lock = new RqliteLock({ name: "demo_counter", client });
  await work(client, worker === "locked" ? lock : undefined);
  await client.close();
}
