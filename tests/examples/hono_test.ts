import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
// The example's own tests.
import "../../examples/hono/app_test.ts";
import { createTables } from "../../examples/hono/database.ts";
import worker from "../../examples/hono/worker.ts";
import { connect } from "../../mod.ts";
import { OWN_ENGINE } from "../support/engines.ts";
import { Guard } from "../support/guard.ts";
import { ask } from "../support/http.ts";
import { type Rqlited, skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";

/** Where the server says that it listens. */
function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = "";
    const hear = (part: unknown): void => {
      said += String(part);
      const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(said) ?? [];
      if (url !== undefined) resolve(url);
    };
    child.stdout!.on("data", hear);
    child.stderr!.on("data", hear);
    child.once("error", reject);
    child.once("close", () => reject(new Error(`The server ended early\n${said}`)));
  });
}

/** Runs the example's entry point for this engine as a process of its own. */
async function serving(body: (url: string) => Promise<void>): Promise<void> {
  const { name, command, args } = OWN_ENGINE;
  const file = fileURLToPath(new URL(`../../examples/hono/${name}.ts`, import.meta.url));
  const guard = new Guard(mkdtempSync(join(tmpdir(), "hono-")));
  const { RQLITE_URL: _, ...env } = process.env;
  const child = spawn(command, [...args, file], {
    env: { ...env, PORT: "0" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const gone = new Promise((resolve) => child.once("close", resolve));
  guard.watch(child.pid);
  try {
    await body(await addressOf(child));
  } finally {
    child.kill("SIGKILL");
    await gone;
    await guard.release();
  }
}

describe("examples/hono", () => {
  it(`serves on ${OWN_ENGINE.name}`, async () => {
    await serving(async (url) => {
      assert.deepEqual(await ask(`${url}/health`), { status: 200, text: '{"ready":true}' });
      const post = (path: string, body: unknown) =>
        ask(url + path, { method: "POST", body: JSON.stringify(body) });
      assert.equal((await post("/notes", { text: "Buy milk" })).status, 201);
      assert.equal((await post("/notes", { text: "Buy milk" })).status, 409);
      const moved = await post("/transfers", { from: "Ada", to: "Bob", euros: 1 });
      assert.deepEqual(moved, { status: 200, text: '{"Ada":99,"Bob":101}' });
      const { text } = await ask(`${url}/notes/stream`);
      assert.equal(text, '{"id":1,"text":"Buy milk"}\n');
    });
  });
});

describe("the Worker of examples/hono", { skip: skipWithoutRqlited() }, () => {
  let server: Rqlited;
  before(async () => {
    server = await startRqlited();
    const db = connect(server.url);
    await createTables(db);
    await db.close();
  });
  after(() => server.stop());

  it("takes its server from the environment of each request", async () => {
    const send = async (path: string, init?: RequestInit) =>
      await worker.fetch(new Request(`http://worker${path}`, init), { RQLITE_URL: server.url });
    assert.equal((await send("/health")).status, 200);
    const made = await Promise.all(Array.from({ length: 50 }, (_, i) => {
      return send("/notes", { method: "POST", body: JSON.stringify({ text: `note ${i}` }) });
    }));
    assert.deepEqual(new Set(made.map(({ status }) => status)), new Set([201]));
    assert.equal(((await (await send("/notes")).json()) as unknown[]).length, 50);
  });
});
