// What a client sends while the cluster has no leader, and that its calls go on as soon as there is one.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { connect, type ConnectOptions, OperationalError, type RequestEvent } from "../../mod.ts";
import { scriptedFetch, type Step } from "../support/scripted_fetch.ts";

const ROW: Step = { body: { results: [{ columns: ["1"], types: ["integer"], values: [[1]] }] } };
const NO_LEADER: Step = { status: 503, body: "leader not found" };
const BUSY: Step = { status: 429, body: "too many requests" };

/** A client of one node that answers the first requests in one way, and then as it should. */
function after(count: number, step: Step, options: ConnectOptions = {}) {
  const fetch = scriptedFetch((_, index) => index < count ? step : ROW);
  const events: RequestEvent[] = [];
  const db = connect({
    fetch: fetch as typeof globalThis.fetch,
    level: "weak",
    coalesce: false,
    onRequest: (event) => void events.push(event),
    ...options,
  });
  return { db, fetch, events };
}

describe("a cluster without a leader", () => {
  it("is looked at more often than `retries` says, and each look is told", async () => {
    const { db, events } = after(7, NO_LEADER);
    assert.deepEqual((await db.query("SELECT 1")).rows, [{ 1: 1 }]);
    assert.deepEqual(events.map(({ attempt }) => attempt), [0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it("lets all calls go on once one of them has found a leader", async () => {
    const { db } = after(60, NO_LEADER);
    await Promise.all(Array.from({ length: 50 }, () => db.query("SELECT 1")));
  });

  it("is given up like any other fault: no look outlasts the attempts", async () => {
    const { db, fetch } = after(Infinity, NO_LEADER, { retries: 2, timeout: 1_500 });
    await assert.rejects(db.query("SELECT 1"), OperationalError);
    assert.ok(fetch.calls.length > 3, `${fetch.calls.length} requests`);
  });

  it("is asked as often as `retries` says where that is once", async () => {
    const { db, fetch } = after(Infinity, NO_LEADER, { retries: 1, timeout: 1_000 });
    await assert.rejects(db.query("SELECT 1"), OperationalError);
    assert.equal(fetch.calls.length, 2);
  });

  it("is not looked at where it says that there are too many requests", async () => {
    const { db, fetch } = after(Infinity, BUSY, { retries: 2, timeout: 800 });
    await assert.rejects(db.query("SELECT 1"), OperationalError);
    assert.equal(fetch.calls.length, 3);
  });

  it("is left by the caller's signal between two looks, and by close()", async () => {
    for (const how of ["abort", "close"] as const) {
      const { db, fetch } = after(Infinity, NO_LEADER);
      const stop = new AbortController();
      const call = db.query("SELECT 1", [], { signal: stop.signal });
      await new Promise((resolve) => setTimeout(resolve, 200));
      const reason = new Error("enough");
      if (how === "abort") stop.abort(reason);
      else await db.close();
      await assert.rejects(call, how === "abort" ? reason : { name: "InterfaceError" });
      const sent = fetch.calls.length;
      await new Promise((resolve) => setTimeout(resolve, 300));
      assert.equal(fetch.calls.length, sent);
    }
  });
});
