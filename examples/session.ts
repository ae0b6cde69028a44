/**
 * A web server and a worker that read from whichever node is near, and yet see what was written before: the worker goes
 * on from the bookmark that comes with its job.
 *
 *     deno run -A examples/session.ts                                                     on a database in memory
 *     deno run -A examples/session.ts http://localhost:4001 http://localhost:4003 …       on a cluster
 *
 * Also `bun examples/session.ts` and `node examples/session.ts`.
 */

import process from "node:process";
// In your project these two are "@tangled/rqlite" and "@tangled/rqlite/embedded".
import { type Client, connect } from "../mod.ts";
import { embedded } from "../src/embedded/mod.ts";
import { detail, done, heading } from "./terminal.ts";

const ORDERS = 200;

/** How many of the orders a worker does not find, where it looks as soon as it hears of each. */
async function missed(work: (bookmark: string, id: number) => Promise<boolean>): Promise<number> {
  let missed = 0;
  for (let i = 0; i < ORDERS; i++) {
    const web = db.session();
    const { lastInsertId } = await web.execute("INSERT INTO demo_orders(state) VALUES('new')");
    if (!await work(web.bookmark, Number(lastInsertId))) missed++;
  }
  return missed;
}

/** Whether a client reads the order from the node that is near. */
async function finds(client: Client, id: number): Promise<boolean> {
  const state = await client.value("SELECT state FROM demo_orders WHERE id = ?", [id], {
    level: "none",
  });
  return state !== undefined;
}

const urls = process.argv.slice(2);
const asked: string[] = [];
const onRequest = ({ endpoint, node }: { endpoint: string; node: string }): void => {
  if (endpoint === "/db/query") asked.push(node);
};
const db = urls.length === 0 ? connect({ ...embedded(), onRequest }) : connect(urls, { onRequest });
await db.execute("DROP TABLE IF EXISTS demo_orders");
await db.execute("CREATE TABLE demo_orders(id INTEGER PRIMARY KEY, state TEXT)");
// Until every node has the table, there is nothing to compare.
await new Promise((resolve) => setTimeout(resolve, urls.length === 0 ? 0 : 500));

heading('Reads at level "none"');
detail(
  `${await missed((_, id) => finds(db, id))} of ${ORDERS} orders were not found by the worker`,
);

heading("Sessions");
asked.length = 0;
const lost = await missed((bookmark, id) => finds(db.session(bookmark), id));
done(`${lost} of ${ORDERS} orders were not found by the worker`);
done(`${asked.length} requests for ${ORDERS} reads, to ${new Set(asked).size} of the nodes`);
await db.close();
