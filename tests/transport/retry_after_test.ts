// What a `Retry-After` of one node means to the calls that follow, and to the other nodes.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type Client,
  connect,
  ConnectionError,
  type ConnectOptions,
  OperationalError,
  TimeoutError,
} from "../../mod.ts";
import { until } from "../support/http.ts";
import { type ScriptedFetch, scriptedFetch, type Step } from "../support/scripted_fetch.ts";

const A = "http://a:4001";
const B = "http://b:4001";
const ROW: Step = { body: { results: [{ columns: ["1"], types: ["integer"], values: [[1]] }] } };
const OK: Step = { body: { results: [{ rows_affected: 1 }] } };

const cause = Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
const REFUSED: Step = { reject: new TypeError("fetch failed", { cause }) };

/** A node, or what stands in front of it, that has too much to do. */
const busy = (after: string, status = 503): Step => ({
  status,
  headers: { "retry-after": after },
  body: "too busy",
});

/** A client of scripted nodes: each plays its own steps, and repeats the last. */
function client(
  steps: Readonly<Record<string, readonly Step[]>>,
  options: ConnectOptions = {},
): { db: Client; fetch: ScriptedFetch; asked: () => string[] } {
  const played = new Map<string, number>();
  const fetch = scriptedFetch(({ url }) => {
    const { origin } = new URL(url);
    const n = played.get(origin) ?? 0;
    played.set(origin, n + 1);
    return steps[origin]!.at(Math.min(n, steps[origin]!.length - 1))!;
  });
  const db = connect(Object.keys(steps), {
    fetch: fetch as typeof globalThis.fetch,
    level: "none",
    exactlyOnce: false,
    ...options,
  });
  return { db, fetch, asked: () => fetch.calls.map(({ url }) => new URL(url).origin) };
}

/** Longer than any call may take. */
const LATE = ["3600", "1000000000000", "9".repeat(400), "Fri, 01 Jan 2100 00:00:00 GMT"];

/** Until that is so, and the call knows the answer. */
async function asks(what: string, so: () => boolean): Promise<void> {
  await until(what, () => Promise.resolve(so() || undefined));
  await new Promise((resolve) => setTimeout(resolve, 0));
}

describe("Retry-After", () => {
  for (const after of LATE) {
    it(`${after.slice(0, 40)} of one node sends this call and the next ones to the other`, async () => {
      const { db, asked } = client({ [A]: [busy(after)], [B]: [ROW] });
      for (let i = 0; i < 4; i++) await db.query("SELECT 1");
      assert.deepEqual(asked(), [A, B, B, B, B]);
      await db.close();
    });

    it(`${after.slice(0, 40)} of the only node ends the call, and later ones are not sent`, async () => {
      const { db, asked } = client({ [A]: [busy(after)] });
      await assert.rejects(db.query("SELECT 1"), (error) => {
        return error instanceof OperationalError && error.status === 503;
      });
      await assert.rejects(db.query("SELECT 1", [], { timeout: 10_000 }), (error) => {
        assert.ok(error instanceof TimeoutError && error.retryable, String(error));
        assert.match(error.message, /http:\/\/a:4001 asked to be left alone .*Retry-After/);
        return true;
      });
      assert.equal(await db.ready({ timeout: 10_000 }), false);
      assert.deepEqual(asked(), [A]);
      await db.close();
    });
  }

  it("that is absurd counts until the call that heard it would have ended, and no longer", async () => {
    const { db, asked } = client({ [A]: [busy(LATE[1]!), ROW] });
    await assert.rejects(db.query("SELECT 1", [], { timeout: 2_000 }), OperationalError);
    assert.equal((await db.query("SELECT 1")).rows.length, 1);
    assert.deepEqual(asked(), [A, A]);
    await db.close();
  });

  it("of all nodes is waited for where it is the shortest", async () => {
    const { db, asked } = client({ [A]: [busy("3600")], [B]: [busy("1", 429), ROW] });
    assert.equal((await db.query("SELECT 1")).rows.length, 1);
    assert.deepEqual(asked(), [A, B, B]);
    await db.close();
  });

  it("of all nodes that is too long ends the call when each was asked once", async () => {
    const { db, asked } = client({ [A]: [busy("3600", 429)], [B]: [busy("3600")] });
    await assert.rejects(db.query("SELECT 1"), (error) => {
      return error instanceof OperationalError && !(error instanceof TimeoutError);
    });
    assert.deepEqual(asked(), [A, B]);
    await db.close();
  });

  it("is waited for where the other node cannot be reached", async () => {
    const { db, asked } = client({ [A]: [busy("1"), ROW], [B]: [REFUSED] });
    assert.equal((await db.query("SELECT 1")).rows.length, 1);
    assert.deepEqual(asked(), [A, B, A]);
    await db.close();
  });

  it("keeps no call from a node that was out of reach for a moment", async () => {
    const { db, asked } = client({ [A]: [REFUSED, REFUSED, REFUSED, ROW], [B]: [busy("86400")] });
    await assert.rejects(db.query("SELECT 1"), ConnectionError);
    assert.equal((await db.query("SELECT 1", [], { timeout: 5_000 })).rows.length, 1);
    assert.deepEqual(asked(), [A, B, A, A, A]);
    await db.close();
  });

  it("is not waited for to its end when another call has found a node that is well", async () => {
    const { db, asked } = client({ [A]: [REFUSED, REFUSED, ROW], [B]: [busy("20")] });
    const waiting = [db.query("SELECT 1")];
    await asks("first call", () => asked().includes(B));
    waiting.push(db.query("SELECT 1"));
    await asks("second call", () => asked().length === 3);
    assert.equal((await db.query("SELECT 1")).rows.length, 1);
    assert.deepEqual((await Promise.all(waiting)).map(({ rows }) => rows.length), [1, 1]);
    assert.deepEqual(asked(), [A, B, A, A, A, A]);
    await db.close();
  });

  it("of a node keeps the look-up of the members from it, too", async () => {
    const options = { discover: true };
    const { db, fetch } = client({ [A]: [busy("3600")], [B]: [ROW] }, options);
    await db.query("SELECT 1");
    await asks("look-up", () => fetch.calls.length === 3);
    const asked = fetch.calls.map(({ url }) => new URL(url)).map((url) =>
      url.origin + url.pathname
    );
    assert.deepEqual(asked, [`${A}/db/query`, `${B}/db/query`, `${B}/nodes`]);
    await db.close();
  });

  it("of the leader lets another node forward the write", async () => {
    const redirect = { status: 301, headers: { location: `${A}/db/execute?redirect` } };
    const { db, fetch, asked } = client({ [A]: [busy("3600", 429)], [B]: [redirect, OK] });
    assert.equal((await db.execute("DELETE FROM t")).rowsAffected, 1);
    assert.deepEqual(asked(), [A, B, B]);
    assert.doesNotMatch(fetch.calls[2]!.url, /redirect/);
    await db.close();
  });

  for (
    const after of ["-5", "soon", "soon, in 2100", "1e12", "", "Mon, 01 Jan 1990 00:00:00 GMT"]
  ) {
    it(`${JSON.stringify(after)} says nothing`, async () => {
      const { db, asked } = client({ [A]: [busy(after), ROW] });
      assert.equal((await db.query("SELECT 1")).rows.length, 1);
      assert.deepEqual(asked(), [A, A]);
      await db.close();
    });
  }

  it("of an answer that is a redirect is not that of the node behind it", async () => {
    const headers = { location: `${B}/db/execute?redirect`, "retry-after": "3600" };
    const { db, asked } = client({ [A]: [{ status: 301, headers }], [B]: [OK] });
    for (let i = 0; i < 2; i++) await db.execute("DELETE FROM t");
    assert.deepEqual(asked(), [A, B, B]);
    await db.close();
  });
});
