/** A small app on Hono: notes, transfers between accounts, a streamed list and a health check. */

import { Hono } from "hono";
import { stream } from "hono/streaming";
// In your project this one is "@tangled/rqlite/hono".
import {
  type ClientSource,
  onRqliteError,
  rqlite,
  type RqliteVariables,
} from "../../src/hono/mod.ts";

/** What the app gets from its runtime, and what its handlers have. */
export type Env = { Variables: RqliteVariables; Bindings: { RQLITE_URL: string } };

interface Note {
  readonly id: number;
  readonly text: string;
}

interface Account {
  readonly owner: string;
  readonly euros: number;
}

interface Transfer {
  readonly from: string;
  readonly to: string;
  readonly euros: number;
}

/** What the body of a request holds, or `undefined` if it is not a JSON object. */
async function bodyOf<T>(request: Request): Promise<Partial<T> | undefined> {
  const body: unknown = await request.json().catch(() => undefined);
  return typeof body === "object" && body !== null ? body : undefined;
}

async function textOf(request: Request): Promise<string | undefined> {
  const text = (await bodyOf<Note>(request))?.text;
  return typeof text === "string" && text !== "" ? text : undefined;
}

/** Notes: each call is a request of its own, so nothing has to be committed. */
function notes(): Hono<Env> {
  const app = new Hono<Env>();

  app.get("/", async (c) => {
    const { rows } = await c.var.db.query<Note>("SELECT id, text FROM notes ORDER BY id");
    return c.json(rows);
  });

  app.post("/", async (c) => {
    const text = await textOf(c.req.raw);
    if (text === undefined) return c.json({ error: "`text` is missing" }, 400);
    const { rows: [note] } = await c.var.db.execute<Note>(
      "INSERT INTO notes(text) VALUES(?) RETURNING id, text",
      [text],
    );
    return c.json(note, 201);
  });

  // One note a line, read page by page; the request's signal ends it when nobody listens any more.
  app.get("/stream", (c) => {
    const rows = c.var.db.client.iterate<Note>("SELECT id, text FROM notes", [], {
      signal: c.req.raw.signal,
      pageSize: 100,
    });
    c.header("content-type", "application/x-ndjson");
    return stream(c, async (body) => {
      for await (const note of rows) await body.writeln(JSON.stringify(note));
    });
  });

  app.get("/:id{\\d+}", async (c) => {
    const { rows: [note] } = await c.var.db.query<Note>("SELECT id, text FROM notes WHERE id = ?", [
      c.req.param("id"),
    ]);
    return note === undefined ? c.notFound() : c.json(note);
  });

  app.put("/:id{\\d+}", async (c) => {
    const text = await textOf(c.req.raw);
    if (text === undefined) return c.json({ error: "`text` is missing" }, 400);
    const { rowsAffected } = await c.var.db.execute("UPDATE notes SET text = ? WHERE id = ?", [
      text,
      c.req.param("id"),
    ]);
    return rowsAffected === 0 ? c.notFound() : c.body(null, 204);
  });

  app.delete("/:id{\\d+}", async (c) => {
    const { rowsAffected } = await c.var.db.execute("DELETE FROM notes WHERE id = ?", [
      c.req.param("id"),
    ]);
    return rowsAffected === 0 ? c.notFound() : c.body(null, 204);
  });

  return app;
}

/** Transfers: what is read still holds when the answer goes out, or the answer is 409 and nothing was kept. */
function transfers(source: ClientSource): Hono<Env> {
  const app = new Hono<Env>();
  app.use(rqlite(source, { transaction: true, timeout: 5_000 }));

  app.post("/", async (c) => {
    const { from, to, euros } = await bodyOf<Transfer>(c.req.raw) ?? {};
    if (!from || !to || !Number.isInteger(euros) || euros! <= 0) {
      return c.json({ error: "`from`, `to` and `euros` are needed" }, 400);
    }
    const balance = async (owner: string): Promise<number | undefined> => {
      const { rows: [account] } = await c.var.db.query<Account>(
        "SELECT owner, euros FROM accounts WHERE owner = ?",
        [owner],
      );
      return account?.euros;
    };
    await c.var.db.execute("UPDATE accounts SET euros = euros - ? WHERE owner = ?", [euros!, from]);
    await c.var.db.execute("UPDATE accounts SET euros = euros + ? WHERE owner = ?", [euros!, to]);
    const [left, right] = await Promise.all([balance(from), balance(to)]);
    // Both answers below roll back what was written above.
    if (left === undefined || right === undefined) return c.json({ error: "No such account" }, 404);
    if (left < 0) return c.json({ error: "Not enough money" }, 422);
    return c.json({ [from]: left, [to]: right });
  });

  return app;
}

/** Makes the app for a client, or for what tells the client of a request. */
export function createApp(source: ClientSource): Hono<Env> {
  const app = new Hono<Env>();
  app.onError(onRqliteError);
  app.use(rqlite(source, { timeout: 5_000 }));

  app.get("/health", async (c) => {
    const ready = await c.var.db.client.ready({ timeout: 1_000 });
    return c.json({ ready }, ready ? 200 : 503);
  });

  app.get("/accounts", async (c) => {
    const { rows } = await c.var.db.query<Account>("SELECT * FROM accounts ORDER BY owner");
    return c.json(rows);
  });

  app.route("/notes", notes());
  app.route("/transfers", transfers(source));
  return app;
}
