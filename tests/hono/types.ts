// Nothing runs here: `deno check` proves that both copies of Hono take the middleware, and what c.var.db is.
import type { Hono as Newest } from "hono";
import type { Hono as Oldest } from "hono-4.0";
import type { Client, Result, Transaction } from "../../mod.ts";
import { onRqliteError, rqlite, type RqliteVariables } from "../../src/hono/mod.ts";

interface User {
  readonly name: string;
}

// A type alias: the oldest Hono wants an index signature.
type Bindings = { RQLITE_URL: string };
type Env = { Variables: RqliteVariables; Bindings: Bindings };

/** What an app of the oldest Hono writes. */
export function oldest(app: Oldest<Env>, db: Client): void {
  app.onError(onRqliteError);
  app.onError((error, c) => onRqliteError(error, c));
  app.use("*", rqlite(db));
  app.use("*", rqlite((c) => c.env.RQLITE_URL, { key: "orders", timeout: 1000 }));
  app.use(rqlite(db, { transaction: (c) => c.req.method === "POST", commitWhen: (c) => c.res.ok }));
  app.get("/", rqlite(db, { transaction: true }), async (c) => {
    const { rows }: Result<User> = await c.var.db.query<User>("SELECT name FROM users");
    await c.var.db.transaction((tx: Transaction) => tx.execute("DELETE FROM users"));
    return c.json(rows.map(({ name }) => name));
  });
}

/** What an app of the newest Hono writes. */
export function newest(app: Newest<Env>, db: Client): void {
  app.onError(onRqliteError);
  app.onError((error, c) => onRqliteError(error, c));
  app.use("*", rqlite(db));
  app.use("*", rqlite((c) => c.env.RQLITE_URL, { key: "orders", timeout: 1000 }));
  app.use(rqlite(db, { transaction: (c) => c.req.method === "POST", commitWhen: (c) => c.res.ok }));
  app.get("/", rqlite(db, { transaction: true }), async (c) => {
    const { rows }: Result<User> = await c.var.db.query<User>("SELECT name FROM users");
    await c.var.db.transaction((tx: Transaction) => tx.execute("DELETE FROM users"));
    return c.json(rows.map(({ name }) => name));
  });
}

/** What the wider types of a wrapper may be. */
export const wide: ((c: never, next: () => Promise<void>) => Promise<void | Response>)[] = [
  rqlite((_c: never): Client => _c),
  rqlite((_c: unknown) => "http://localhost:4001", { transaction: (_c: unknown) => ({}) }),
];
