// The app's own tests: `app.request` needs no server.

import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { type Client, connect } from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { createApp } from "./app.ts";
import { createTables } from "./database.ts";

describe("the app on Hono", () => {
  let db: Client;
  let app: ReturnType<typeof createApp>;
  beforeEach(async () => {
    db = connect(embedded());
    await createTables(db);
    app = createApp(db);
  });
  afterEach(() => db.close());

  const send = async (method: string, path: string, body?: unknown) =>
    await app.request(path, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });

  it("keeps, changes and deletes notes", async () => {
    const made = await send("POST", "/notes", { text: "Buy milk" });
    assert.equal(made.status, 201);
    assert.deepEqual(await made.json(), { id: 1, text: "Buy milk" });
    assert.equal((await send("PUT", "/notes/1", { text: "Buy tea" })).status, 204);
    assert.deepEqual(await (await send("GET", "/notes/1")).json(), { id: 1, text: "Buy tea" });
    assert.deepEqual(await (await send("GET", "/notes")).json(), [{ id: 1, text: "Buy tea" }]);
    assert.equal((await send("DELETE", "/notes/1")).status, 204);
    for (const method of ["GET", "DELETE"]) {
      assert.equal((await send(method, "/notes/1")).status, 404);
    }
    assert.equal((await send("PUT", "/notes/1", { text: "x" })).status, 404);
  });

  it("refuses a note without text, and one that is there already", async () => {
    assert.equal((await send("POST", "/notes", { text: "" })).status, 400);
    assert.equal((await app.request("/notes", { method: "POST", body: "{" })).status, 400);
    await send("POST", "/notes", { text: "Buy milk" });
    const twice = await send("POST", "/notes", { text: "Buy milk" });
    assert.equal(twice.status, 409);
    assert.equal((await twice.json()).code, "SQLITE_CONSTRAINT_UNIQUE");
  });

  it("streams the notes, one a line", async () => {
    for (let i = 0; i < 250; i++) await send("POST", "/notes", { text: `note ${i}` });
    const answer = await send("GET", "/notes/stream");
    const lines = (await answer.text()).trim().split("\n");
    assert.equal(lines.length, 250);
    assert.deepEqual(JSON.parse(lines[249]!), { id: 250, text: "note 249" });
  });

  it("transfers money, or leaves everything as it was", async () => {
    const done = await send("POST", "/transfers", { from: "Ada", to: "Bob", euros: 30 });
    assert.deepEqual(await done.json(), { Ada: 70, Bob: 130 });
    const refused: [unknown, number][] = [
      [{ from: "Ada", to: "Bob", euros: 71 }, 422],
      [{ from: "Ada", to: "Eve", euros: 1 }, 404],
      [{ from: "Ada", to: "Bob", euros: -1 }, 400],
      [null, 400],
    ];
    for (const [body, status] of refused) {
      assert.equal((await send("POST", "/transfers", body)).status, status);
    }
    assert.deepEqual(await (await send("GET", "/accounts")).json(), [
      { owner: "Ada", euros: 70 },
      { owner: "Bob", euros: 130 },
    ]);
  });

  it("tells whether the database is ready", async () => {
    const answer = await send("GET", "/health");
    assert.deepEqual([answer.status, await answer.json()], [200, { ready: true }]);
  });

  it("answers 503 while no database can be reached", async () => {
    const lost = createApp(connect({
      fetch: () => Promise.reject(new TypeError("fetch failed")),
      retries: 0,
    }));
    const health = await lost.request("/health");
    assert.deepEqual([health.status, await health.json()], [503, { ready: false }]);
    const notes = await lost.request("/notes");
    assert.equal(notes.status, 503);
    assert.ok(notes.headers.has("retry-after"));
  });
});
