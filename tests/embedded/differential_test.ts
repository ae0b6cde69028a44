import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { embedded, type EmbeddedEngine } from "../../src/embedded/mod.ts";
import { normalise } from "../support/golden.ts";
import { Random } from "../support/random.ts";
import { type Rqlited, startRqlited } from "../support/rqlited.ts";
import { OLD_SQLITE } from "./differences.ts";
import { type RandomRequest, randomRequest, SCHEMA } from "./random_requests.ts";

const ROUNDS = Number(process.env.DIFFERENTIAL_ROUNDS ?? 10);
const REQUESTS = 40;
const skip = !process.env.RQLITED_BIN
  ? "RQLITED_BIN names no server"
  : OLD_SQLITE && "this runtime's SQLite is older than the server's";

describe("embedded() beside the server of RQLITED_BIN", () => {
  const folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "differential-"));
  let server: Rqlited;
  let engine: EmbeddedEngine;
  let major = 0;

  before(async () => {
    if (skip) return;
    server = await startRqlited({ args: ["-fk"] });
    engine = embedded(join(folder, "a.db"), { foreignKeys: true });
    const response = await fetch(`${server.url}/readyz`);
    await response.text();
    major = parseInt(response.headers.get("x-rqlite-version")?.replace(/^v/, "") ?? "");
  });

  after(async () => {
    rmSync(folder, { recursive: true, force: true });
    if (skip) return;
    engine.close();
    await server.stop();
  });

  for (let round = 1; round <= ROUNDS; round++) {
    it(`answers random requests alike, round ${round}`, { skip }, async (t) => {
      if (major !== 10) return t.skip("the server is no rqlite 10");
      await send({ method: "POST", path: "/db/execute", body: JSON.stringify(SCHEMA) });
      const random = new Random(round * 7919);
      for (let i = 0; i < REQUESTS; i++) await compare(randomRequest(random));
    });
  }

  async function compare(request: RandomRequest): Promise<void> {
    const [own, theirs] = await send(request);
    assert.deepEqual(own, theirs, `${request.method} ${request.path} ${request.body}`);
  }

  function send({ method, path, body }: RandomRequest): Promise<[unknown, unknown]> {
    const headers = { "content-type": "application/json" };
    const init = { method, headers, ...(body === undefined ? {} : { body }) };
    return Promise.all([
      engine.fetch("http://127.0.0.1:4001" + path, init).then(readAnswer),
      fetch(server.url + path, init).then(readAnswer),
    ]);
  }
});

async function readAnswer(response: Response): Promise<unknown> {
  const text = normalise(await response.text()).replaceAll("\\ufffd", "\ufffd");
  return { status: response.status, type: response.headers.get("content-type"), text };
}
