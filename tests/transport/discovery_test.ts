// Members are looked up behind the calls of a client: whatever becomes of a look-up, no call waits for it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { type Client, connect, InterfaceError, type RequestEvent } from "../../mod.ts";
import { Discovery } from "../../src/transport/discovery.ts";
import { OWN_ENGINE } from "../support/engines.ts";
import { until } from "../support/http.ts";
import { type ScriptedFetch, scriptedFetch, type Step } from "../support/scripted_fetch.ts";

const ROWS = { results: [{ columns: ["1"], types: ["integer"], values: [[1]] }] };
const OK: Step = { body: ROWS };
const HANG: Step = { hang: true };
const MEMBERS: Step = {
  body: { nodes: [{ id: "2", api_addr: "http://b:4001", voter: true, reachable: true }] },
};
const LOST: Step = { reject: new TypeError("fetch failed") };

interface World {
  readonly db: Client;
  readonly fetch: ScriptedFetch;
  /** The nodes that were asked for the members. */
  lookUps(): string[];
}

/** A client that discovers, of nodes that answer reads and the question for the members. */
function world(members: () => Step, read: (host: string) => Step = () => OK): World {
  const fetch = scriptedFetch(({ url }) => {
    const { pathname, hostname } = new URL(url);
    return pathname === "/nodes" ? members() : read(hostname);
  });
  const options = {
    fetch: fetch as typeof globalThis.fetch,
    level: "weak",
    discover: true,
  } as const;
  const lookUps = () => {
    const urls = fetch.calls.map(({ url }) => new URL(url));
    return urls.filter(({ pathname }) => pathname === "/nodes").map(({ hostname }) => hostname);
  };
  return { db: connect("http://a:4001", options), fetch, lookUps };
}

/** Until what is under way in the background has come to its end. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

describe("discover", () => {
  it("sends one look-up for 500 first reads, behind the first answer", async () => {
    const { db, fetch, lookUps } = world(() => HANG);
    const read = () => db.query("SELECT 1", [], { coalesce: false });
    await Promise.all(Array.from({ length: 500 }, read));
    assert.deepEqual(lookUps(), ["a"]);
    assert.equal(fetch.calls.length, 501);
    assert.equal(new URL(fetch.calls[0]!.url).pathname, "/db/query");
    await db.close();
  });

  it("lets no call wait for a look-up that hangs, and close() ends it", async () => {
    const { db, fetch, lookUps } = world(() => HANG);
    for (let i = 0; i < 20; i++) await db.query("SELECT 1");
    assert.equal(lookUps().length, 1);
    const { signal } = fetch.calls.find(({ url }) => url.includes("/nodes"))!;
    assert.equal(signal?.aborted, false);
    await db.close();
    assert.equal(signal?.aborted, true);
  });

  it("asks nobody for the members where no node answers", async () => {
    const { db, lookUps } = world(() => MEMBERS, () => LOST);
    const options = { timeout: 5_000 };
    await assert.rejects(db.query("SELECT 1", [], options), { name: "ConnectionError" });
    assert.deepEqual(lookUps(), []);
    await db.close();
  });

  for (const [what, step] of [["is lost", LOST], ["answers 503", { status: 503 }]] as const) {
    it(`does not look again at once after a look-up that ${what}`, async () => {
      const { db, lookUps } = world(() => step);
      for (let i = 0; i < 20; i++) {
        await db.query("SELECT 1");
        await settled();
      }
      assert.equal(lookUps().length, 1);
      await db.close();
    });
  }

  it("looks again later where a node had too much to do to name the members", async () => {
    let busy = true;
    const { db, lookUps } = world(() => busy ? { status: 429 } : MEMBERS);
    await db.query("SELECT 1");
    await settled();
    busy = false;
    await until("look-up", async () => {
      await db.query("SELECT 1");
      await settled();
      return lookUps().length > 1 || undefined;
    });
    await db.close();
  });

  it("asks the next node once one has failed, and looks among all that it knows", async () => {
    let dead = "";
    const { db, fetch } = world(() => MEMBERS, (host) => host === dead ? LOST : OK);
    await db.query("SELECT 1");
    await settled();
    dead = "a";
    assert.equal((await db.query("SELECT 1")).rows.length, 1);
    assert.equal(new URL(fetch.calls.at(-1)!.url).hostname, "b");
    await db.close();
  });

  it("sends the first write straight to the leader that a look-up named", async () => {
    const nodes = ["a", "b"].map((host) => ({
      id: host,
      api_addr: `http://${host}:4001`,
      reachable: true,
      leader: host === "b",
    }));
    const fetch = scriptedFetch(({ url }) => {
      if (new URL(url).pathname === "/nodes") return { body: { nodes } };
      return url.includes("/db/query") ? OK : { body: { results: [{ rows_affected: 1 }] } };
    });
    const db = connect(["http://a:4001", "http://b:4001"], {
      fetch: fetch as typeof globalThis.fetch,
      discover: true,
      exactlyOnce: false,
    });
    await db.query("SELECT 1", [], { level: "none" });
    await settled();
    await db.execute("DELETE FROM t");
    assert.equal(new URL(fetch.calls.at(-1)!.url).hostname, "b");
    assert.equal(fetch.calls.length, 3);
    await db.close();
  });

  it("reports a look-up to `onRequest`", async () => {
    const events: RequestEvent[] = [];
    const { db, fetch } = world(() => MEMBERS);
    await db.close();
    const told = connect("http://a:4001?discover&level=weak", {
      fetch: fetch as typeof globalThis.fetch,
      onRequest: (event) => void events.push(event),
    });
    await told.query("SELECT 1");
    await settled();
    const shown = events.map(({ endpoint, node, status }) => [endpoint, node, status]);
    assert.deepEqual(shown, [["/db/query", "http://a:4001", 200], [
      "/nodes",
      "http://a:4001",
      200,
    ]]);
    await told.close();
  });

  it("keeps no program alive for longer than a look-up may take", async () => {
    const waiting: ServerResponse[] = [];
    const server = createServer((request, response) => {
      request.resume();
      if (request.url!.startsWith("/nodes")) waiting.push(response);
      else response.setHeader("content-type", "application/json").end(JSON.stringify(ROWS));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const { port } = server.address() as AddressInfo;
      const child = fileURLToPath(new URL("./leaving.ts", import.meta.url));
      const { command, args } = OWN_ENGINE;
      const program = spawn(command, [...args, child, `http://127.0.0.1:${port}`], {
        stdio: ["ignore", "ignore", "inherit"],
      });
      const code = await new Promise((resolve) => program.once("close", resolve));
      assert.equal(code, 0);
      assert.equal(waiting.length, 1);
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });
});

describe("Discovery", () => {
  const real = performance.now;
  let now: number;
  let asked: PromiseWithResolvers<boolean>[];
  let discovery: Discovery;

  beforeEach(() => {
    now = 1_000;
    performance.now = () => now;
    asked = [];
    discovery = new Discovery(() => {
      asked.push(Promise.withResolvers());
      return asked.at(-1)!.promise;
    });
  });

  afterEach(() => {
    performance.now = real;
  });

  /** A node answers this much later. */
  const later = (milliseconds: number): number => {
    now += milliseconds;
    discovery.answered("http://a:4001");
    return asked.length;
  };

  it("looks again after a failure of a node, and a second later at the earliest", async () => {
    assert.equal(later(0), 1);
    asked[0]!.resolve(true);
    await settled();
    assert.equal(later(100_000), 1);
    discovery.changed();
    assert.equal(later(0), 2);
    discovery.changed();
    asked[1]!.resolve(true);
    await settled();
    assert.equal(later(900), 2);
    assert.equal(later(200), 3, "what changed during a look-up is looked up");
  });

  it("waits longer after each failed look-up, at most a minute", async () => {
    later(0);
    for (const least of [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]) {
      const before = asked.length;
      asked.at(-1)!.reject(new Error("lost"));
      await settled();
      assert.equal(later(least - 1), before);
      assert.equal(later(Math.min(2 * least, 60_000) - least + 1), before + 1);
    }
  });

  it("does not wait for ever for a look-up whose request has ended with it, as on Workers", () => {
    assert.equal(later(0), 1);
    assert.equal(later(3_000), 1);
    assert.equal(later(1_000), 2);
    assert.equal(later(4_000), 2, "and asks more rarely then");
    assert.equal(later(1_000), 3);
  });

  it("tells one call what `mapNode` did wrong", async () => {
    later(0);
    const mistake = new InterfaceError("no URL");
    asked[0]!.reject(mistake);
    await settled();
    assert.equal(discovery.takeMistake(), mistake);
    assert.equal(discovery.takeMistake(), undefined);
  });
});
