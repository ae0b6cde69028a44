// A load balancer in front of nodes whose own addresses cannot be reached, what the error of a call says of each node, and
// credentials that several calls find refused.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { connect, ConnectionError, type ConnectOptions, OutcomeUnknownError } from "../../mod.ts";
import { sleep } from "../support/http.ts";
import { type Answer, scriptedFetch, type Step } from "../support/scripted_fetch.ts";

const OK: Step = { body: { results: [{ rows_affected: 1 }] } };
const LEADER: Step = {
  status: 301,
  headers: { location: "http://10.0.0.7:4001/db/execute?transaction&redirect" },
};
const cause = Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
const REFUSED: Step = { reject: new TypeError("fetch failed", { cause }) };
const RESET: Step = { reject: new TypeError("fetch failed") };

/** Nodes behind one address: each is asked in turn, and forwards what it is not asked to redirect. */
function balanced(inside: Step, answer: Step = OK, options: ConnectOptions = {}) {
  const fetch = scriptedFetch(({ url }) => {
    const { hostname, searchParams } = new URL(url);
    if (hostname === "10.0.0.7") return inside;
    return searchParams.has("redirect") ? LEADER : answer;
  });
  const db = connect("http://balancer:4001", {
    fetch: fetch as typeof globalThis.fetch,
    coalesce: false,
    level: "weak",
    retries: 0,
    ...options,
  });
  const asked = () => fetch.calls.map(({ url }) => new URL(url).hostname);
  return { db, asked };
}

describe("a load balancer", () => {
  for (const [what, inside] of [["refuses", REFUSED], ["cuts", RESET]] as const) {
    it(`forwards for a leader whose address ${what} connections, which is not asked again`, async () => {
      const rows: Step = { body: { results: [{ columns: ["1"], types: [""], values: [[1]] }] } };
      const fetch = scriptedFetch(({ url }) => {
        const { hostname, searchParams, pathname } = new URL(url);
        if (hostname === "10.0.0.7") return inside;
        const location = `http://10.0.0.7:4001${pathname}`;
        return searchParams.has("redirect") ? { status: 301, headers: { location } } : rows;
      });
      const options = {
        fetch: fetch as typeof globalThis.fetch,
        level: "weak",
        retries: 0,
      } as const;
      const db = connect("http://balancer:4001", options);
      for (let i = 0; i < 3; i++) assert.equal(await db.value("SELECT 1"), 1);
      const asked = fetch.calls.map(({ url }) => new URL(url).hostname);
      assert.equal(asked.filter((host) => host === "10.0.0.7").length, 1);
    });
  }

  it("forwards within the time of a call for a leader whose address never answers", async () => {
    const rows: Step = { body: { results: [{ columns: ["1"], types: [""], values: [[1]] }] } };
    const path = "/db/query?level=weak&redirect";
    const fetch = scriptedFetch(({ url }) => {
      const { hostname, searchParams } = new URL(url);
      if (hostname === "10.0.0.7") return { hang: true };
      const location = `http://10.0.0.7:4001${path}`;
      return searchParams.has("redirect") ? { status: 301, headers: { location } } : rows;
    });
    const nodes = ["http://one:4001", "http://two:4001"];
    const options = {
      fetch: fetch as typeof globalThis.fetch,
      level: "weak",
      timeout: 1_000,
    } as const;
    const db = connect(nodes, options);
    for (let i = 0; i < 3; i++) assert.equal(await db.value("SELECT 1"), 1);
    const asked = fetch.calls.map(({ url }) => new URL(url).hostname);
    assert.equal(asked.filter((host) => host === "10.0.0.7").length, 1);
  });

  it("does not forward a write without an id, which a node may send twice in secret", async () => {
    const { db, asked } = balanced(REFUSED);
    const write = db.execute("DELETE FROM t", [], { exactlyOnce: false });
    await assert.rejects(write, ConnectionError);
    assert.deepEqual(asked(), ["balancer", "10.0.0.7"]);
  });
});

describe("the error of a call", () => {
  const options = { level: "weak", retries: 2, timeout: 5_000, exactlyOnce: false } as const;

  it("says what each node answered last", async () => {
    const fetch = scriptedFetch(({ url }) =>
      new URL(url).hostname === "a" ? REFUSED : { status: 502, body: `bad gateway of b` }
    );
    const db = connect(["http://a:4001", "http://b:4001"], {
      ...options,
      fetch: fetch as typeof globalThis.fetch,
    });
    await assert.rejects(db.query("SELECT 1"), (error: Error) => {
      assert.match(error.message, /http:\/\/b:4001.*bad gateway of b/);
      assert.match(error.message, /Cannot reach http:\/\/a:4001: refused/);
      return true;
    });
  });

  it("does so for a write that may have been applied, and says no secret", async () => {
    const fetch = scriptedFetch(({ url, headers }, i) =>
      i === 0
        ? { status: 503, body: "leader not found" }
        : { status: 502, body: `no ${new URL(url).hostname} for ${headers.get("authorization")}` }
    );
    const db = connect(["http://u:hunter2@a:4001", "http://u:hunter2@b:4001"], {
      ...options,
      fetch: fetch as typeof globalThis.fetch,
    });
    await assert.rejects(db.execute("DELETE FROM t"), (error: Error) => {
      assert.ok(error instanceof OutcomeUnknownError);
      assert.match(
        error.message,
        /answered 502 .*; before that: http:\/\/a:4001 .*leader not found/,
      );
      assert.ok(!error.message.includes(btoa("u:hunter2")));
      return true;
    });
  });
});

describe("credentials that are refused", () => {
  it("are asked for once by all calls that hear it, early or late", async () => {
    let asked = 0;
    let valid = "old";
    const rows: Answer = { body: { results: [{ columns: ["1"], types: [""], values: [[1]] }] } };
    const fetch = scriptedFetch(({ headers }, index) => async () => {
      const right = headers.get("authorization") === `Basic ${btoa(`u:${valid}`)}`;
      // Each hears it at another time.
      await sleep(index * 5);
      return right ? rows : { status: 401, body: "" };
    });
    const passwords = ["old", "new"];
    const credentials = () => {
      const password = passwords[Math.min(asked++, 1)]!;
      return Promise.resolve({ username: "u", password });
    };
    const db = connect({
      fetch: fetch as typeof globalThis.fetch,
      credentials,
      level: "weak",
      coalesce: false,
    });
    const calls = Array.from({ length: 8 }, () => db.query("SELECT 1"));
    valid = "new";
    await Promise.all(calls);
    assert.equal(asked, 2);
    assert.equal(fetch.calls.length, 16);
  });
});
