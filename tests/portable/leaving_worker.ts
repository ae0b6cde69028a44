/** A Worker whose requests may end while the client, which they share, still works for them. */

import { type Client, connect } from "../../mod.ts";
import { RqliteLock } from "../../src/locks/rqlite.ts";

let shared: Record<"plain" | "asking" | "discovering", Client> | undefined;
let silent = false;

/** Never answers a request that leaves. */
function credentials(): Promise<{ username: string; password: string }> {
  if (silent) return new Promise(() => {});
  return Promise.resolve({ username: "u", password: "p" });
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 50));
}

/** Collides with itself once, and so takes a turn; with `leaves` it keeps it for ever. */
async function collide(db: Client, leaves: boolean): Promise<number> {
  let runs = 0;
  return await db.transaction(async (tx) => {
    const { rows } = await tx.query<{ n: number }>("SELECT n FROM counter");
    if (++runs === 1) await db.execute("UPDATE counter SET n = n + 1");
    else if (leaves) await new Promise(() => {});
    await tx.execute("UPDATE counter SET n = ?", [rows[0]!.n + 1]);
    return runs;
  });
}

/** Takes a turn from the start, as ORMs do; with `leaves` it keeps it for ever. */
async function raise(db: Client, leaves: boolean): Promise<number> {
  return await db.transaction(async (tx) => {
    const n = await tx.value<number>("SELECT n FROM counter");
    if (leaves) await new Promise(() => {});
    await tx.execute("UPDATE counter SET n = ?", [n! + 1]);
    return n! + 1;
  }, { driver: true });
}

/** Counts under a lock; with `leaves` it keeps the lock for ever. */
async function count(db: Client, leaves: boolean): Promise<number> {
  const lock = new RqliteLock({ name: "counter", client: db, leaseDuration: 500 });
  return await db.transaction(async (tx) => {
    const { rows } = await tx.query<{ n: number }>("SELECT n FROM counter");
    if (leaves) await new Promise(() => {});
    await tx.execute("UPDATE counter SET n = ?", [rows[0]!.n + 1]);
    return rows[0]!.n + 1;
  }, { lock, retries: 0 });
}

async function ask(db: Client): Promise<unknown> {
  return (await db.query("SELECT 1 AS one")).rows[0]!["one"];
}

export default {
  async fetch(request: Request, { RQLITE_URL: url }: { RQLITE_URL: string }): Promise<Response> {
    shared ??= {
      plain: connect(url),
      asking: connect(url, { credentials }),
      discovering: connect(url, { discover: true, level: "weak" }),
    };
    const { plain, asking, discovering } = shared;
    const { pathname, searchParams } = new URL(request.url);
    const leaves = searchParams.has("leave");
    silent = leaves;
    const work: Promise<unknown> = pathname === "/turn"
      ? collide(plain, leaves)
      : pathname === "/driver"
      ? raise(plain, leaves)
      : pathname === "/lock"
      ? count(plain, leaves)
      : pathname === "/members"
      ? ask(discovering)
      : pathname === "/close"
      ? discovering.close().then(() => true)
      : ask(asking);
    const told = work.then(
      (value) => Response.json(value),
      (error: unknown) => Response.json(String(error), { status: 500 }),
    );
    return leaves ? await pause().then(() => new Response("left")) : await told;
  },
};
