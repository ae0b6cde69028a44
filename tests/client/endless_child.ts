/** Asks for answers that never end, and tells how each call ended and how much memory the process had at most, in MB. */

import process from "node:process";
import { type Client, connect, type RqliteError } from "../../mod.ts";
import { nodeFetch } from "../../src/node/mod.ts";
import { KINDS } from "./endless.ts";

const [kind = "", url = ""] = process.argv.slice(2);
const own = nodeFetch();
const ends: Record<string, string> = {};
let peak = 0;
const look = (): void => {
  peak = Math.max(peak, process.memoryUsage().rss);
};
const timer = setInterval(look, 5);

async function ask(name: string, db: Client, call: () => Promise<unknown>): Promise<void> {
  const error = await call().then(() => undefined, (error: unknown) => error);
  look();
  const { code, cause } = error as RqliteError;
  const causes = [code, (cause as { code?: unknown } | undefined)?.code];
  ends[name] = causes.filter((code) => String(code).startsWith("ERR_")).join(" < ");
  await db.close();
}

const calls: Record<string, (db: Client) => Promise<unknown>> = {
  query: (db) => db.query("SELECT 1"),
  execute: (db) => db.execute("DELETE FROM t", [], { exactlyOnce: false }),
  status: (db) => db.status(),
  nodes: (db) => db.nodes(),
  ready: (db) => db.ready(),
};
for (const name of Object.keys(KINDS)) {
  for (const [call, run] of Object.entries(calls)) {
    if (call !== "query" && name !== "plain") continue;
    const db = connect(`${url}/${name}`, {
      retries: 0,
      credentials: () => Promise.resolve({ username: "a", password: "b" }),
      ...(kind === "nodeFetch" && { fetch: own, headers: { "accept-encoding": "gzip" } }),
      // The default is shown once, and the rest is quick.
      ...(call !== "execute" && { maxResponseSize: 2 ** 23, discover: name !== "short" }),
    });
    await ask(`${name} ${call}`, db, () => run(db));
  }
}
clearInterval(timer);
own.close();
process.stdout.write(JSON.stringify({ peak: Math.round(peak / 2 ** 20), ends }));
