/** A list of things to do that updates itself in every browser that shows it, whoever changes it. */

import { Hono } from "hono";
// In your project these two are "@tangled/rqlite" and "@tangled/rqlite/cdc".
import { type Client, sql } from "../../mod.ts";
import { type ChangeFeed, changeFeed, live } from "../../src/cdc/mod.ts";

interface Todo {
  readonly id: number;
  readonly title: string;
  readonly done: 0 | 1;
}

/** Makes the table. */
export async function createTables(db: Client): Promise<void> {
  await db.execute(
    "CREATE TABLE IF NOT EXISTS todos(id INTEGER PRIMARY KEY, title TEXT NOT NULL, done INTEGER NOT NULL DEFAULT 0)",
  );
}

/**
 * Makes the app.
 *
 * @param page The HTML of the page.
 * @param secret What the server has to know to post changes.
 */
export function createApp(
  db: Client,
  page: string,
  secret: string,
): { readonly app: Hono; readonly feed: ChangeFeed } {
  // Nothing but the list below reads the feed: what comes while no browser is there may go.
  const feed = changeFeed({ secret, unread: "drop" });
  const todos = live<Todo>(db, "SELECT id, title, done FROM todos ORDER BY id", [], { feed });

  const app = new Hono();
  app.get("/", (c) => c.html(page));
  app.post("/changes", (c) => feed(c.req.raw));
  app.get("/todos", () => todos.response());

  app.post("/todos", async (c) => {
    const { title }: Partial<Todo> = await c.req.json();
    if (typeof title !== "string" || title === "") return c.text("`title` is missing", 400);
    await db.execute(sql`INSERT INTO todos ${sql.insert({ title })}`);
    return c.body(null, 204);
  });

  app.put("/todos/:id", async (c) => {
    const { done }: Partial<Todo> = await c.req.json();
    await db.execute(sql`UPDATE todos SET done = ${done ? 1 : 0} WHERE id = ${c.req.param("id")}`);
    return c.body(null, 204);
  });

  app.delete("/todos/:id", async (c) => {
    await db.execute(sql`DELETE FROM todos WHERE id = ${c.req.param("id")}`);
    return c.body(null, 204);
  });

  return { app, feed };
}
