import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { createApp, createTables } from "../../examples/live/app.ts";
import { type Client, connect } from "../../mod.ts";
import { cdcConfig } from "../../src/cdc/mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { skipWithoutCdc, startPosting } from "../cdc/posts.ts";
import { startRqlited } from "../support/rqlited.ts";

const PAGE = readFileSync(new URL("../../examples/live/page.html", import.meta.url), "utf8");

type App = ReturnType<typeof createApp>["app"];

const send = async (app: App, method: string, path: string, body?: unknown) =>
  (await app.request(path, { method, ...(body !== undefined && { body: JSON.stringify(body) }) }))
    .status;

/** Waits for events until one has these rows. */
async function showing(
  app: App,
): Promise<{ until(rows: unknown): Promise<void>; leave(): Promise<void> }> {
  const response = await app.request("/todos");
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  return {
    async until(rows) {
      const wanted = `data: ${JSON.stringify(rows)}\n\n`;
      for (;;) {
        const { done, value } = await reader.read();
        assert.equal(done, false);
        if (value === wanted) return;
      }
    },
    leave: () => reader.cancel(),
  };
}

describe("examples/live", () => {
  it("serves its page, and shows what the server tells of", async () => {
    const db: Client = connect(embedded());
    await createTables(db);
    const { app, feed } = createApp(db, PAGE, "s3cret");
    assert.match(await (await app.request("/")).text(), /EventSource\("\/todos"\)/);
    const list = await showing(app);
    await list.until([]);
    assert.equal(await send(app, "POST", "/todos", { title: "" }), 400);
    assert.equal(await send(app, "POST", "/todos", { title: "milk" }), 204);
    const body = {
      node_id: "1",
      payload: [{
        index: 7,
        events: [{
          op: "INSERT",
          table: "todos",
          new_row_id: 1,
          after: { id: 1, title: "milk", done: 0 },
        }],
      }],
    };
    assert.equal(await send(app, "POST", "/changes", body), 401);
    const { username, password } = new URL(
      JSON.parse(cdcConfig({ endpoint: "http://a", secret: "s3cret" })).endpoint,
    );
    const told = await app.request("/changes", {
      method: "POST",
      headers: {
        authorization: `Basic ${btoa(`${username}:${password}`)}`,
        "content-type": "application/json",
      },
      body: JSON.stringify(body),
    });
    assert.equal(told.status, 200);
    await list.until([{ id: 1, title: "milk", done: 0 }]);
    await list.leave();
    feed.close();
    await db.close();
  });

  it("shows what anybody changes in a server", { skip: skipWithoutCdc() }, async () => {
    const apps: App[] = [];
    const { server, stop } = await startPosting(
      startRqlited,
      async (request) => await apps[0]!.fetch(request),
      { secret: "s3cret", batchDelay: 20 },
    );
    const db = connect(server.url);
    const { app, feed } = createApp(db, PAGE, "s3cret");
    apps.push(app);
    try {
      await createTables(db);
      const lists = [await showing(app), await showing(app)];
      const all = (rows: unknown) => Promise.all(lists.map((list) => list.until(rows)));
      await all([]);
      await send(app, "POST", "/todos", { title: "milk" });
      await all([{ id: 1, title: "milk", done: 0 }]);
      await send(app, "PUT", "/todos/1", { done: 1 });
      await all([{ id: 1, title: "milk", done: 1 }]);
      await server.sql(["INSERT INTO todos(title) VALUES('tea')"]);
      await all([{ id: 1, title: "milk", done: 1 }, { id: 2, title: "tea", done: 0 }]);
      await send(app, "DELETE", "/todos/1");
      await all([{ id: 2, title: "tea", done: 0 }]);
      for (const list of lists) await list.leave();
    } finally {
      feed.close();
      await db.close();
      await stop();
    }
  });
});
