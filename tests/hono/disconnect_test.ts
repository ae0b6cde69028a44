// A client that goes away, on this engine's real server.
import assert from "node:assert/strict";
import { describe } from "node:test";
import { rqlite } from "../../src/hono/mod.ts";
import { sleep, until } from "../support/http.ts";
import { ToldLock } from "../transaction/told_lock.ts";
import { serveHere } from "./serve.ts";
import { add, test } from "./world.ts";

describe("a client that disconnects", () => {
  test("leaves nothing of its transaction, and frees the lock", async (world) => {
    const { app, db, n, network } = world;
    const lock = new ToldLock();
    const here = { begun: false, fired: false };
    const made = app(rqlite(db, { transaction: { lock } }), async (c) => {
      const { signal } = c.req.raw;
      await add(c);
      here.begun = true;
      await new Promise((resolve) => {
        if (signal.aborted) resolve(undefined);
        signal.addEventListener("abort", resolve, { once: true });
      });
      here.fired = true;
      return await add(c);
    });
    const server = await serveHere(made.fetch);
    try {
      const controller = new AbortController();
      const gone = fetch(server.url, { signal: controller.signal });
      await until("handler", () => Promise.resolve(here.begun || undefined));
      controller.abort();
      await assert.rejects(gone);
      await until("abort", () => Promise.resolve(here.fired || undefined));
      await until("release", () => Promise.resolve(lock.told[1]));
      await sleep(20);
    } finally {
      await server.close();
    }
    assert.deepEqual(lock.told, ["acquire", "release"]);
    assert.deepEqual([await n(), network.copies.length], [0, 0]);
  });

  test("is no reason to fail for one that stays", async ({ app, db, n }) => {
    const server = await serveHere(app(rqlite(db, { transaction: true }), add).fetch);
    try {
      for (let i = 0; i < 3; i++) {
        const answer = await fetch(server.url);
        assert.deepEqual([answer.status, await answer.text()], [200, "added"]);
      }
    } finally {
      await server.close();
    }
    assert.equal(await n(), 3);
  });
});
