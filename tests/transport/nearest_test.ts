// Where reads go that any node may answer.
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { connect, type ConnectOptions, StaleReadError } from "../../mod.ts";
import { OperationalError } from "../../src/errors.ts";
import type { Attempt } from "../../src/transport/attempt.ts";
import { Nearest } from "../../src/transport/nearest.ts";
import { scriptedFetch, type Step } from "../support/scripted_fetch.ts";

const [A, B, C] = ["http://a:4001", "http://b:4001", "http://c:4001"] as const;
const NODES = [A, B, C];

const trace = { node: A, sent: true, status: 200 };
const SERVED: Attempt<number> = { verdict: { value: 1 }, trace, answered: true };
const failed = (
  next: "elsewhere" | "never",
  error = new OperationalError("no"),
): Attempt<number> => ({
  verdict: { error, applied: "no", next },
  trace,
  answered: true,
});

describe("Nearest", () => {
  const real = performance.now;
  let now: number;
  let nearest: Nearest;
  /** How long each node takes. */
  let trips: Record<string, number>;

  beforeEach(() => {
    now = 1_000;
    performance.now = () => now;
    nearest = new Nearest();
    trips = { [A]: 2, [B]: 2, [C]: 2 };
  });

  afterEach(() => {
    performance.now = real;
  });

  /** Asks a node, which takes so long. */
  const ask = async (node: string, took: number, came = SERVED): Promise<void> => {
    await nearest.ask(node, true, 30_000, () => {
      now += took;
      return Promise.resolve(came);
    });
  };

  /** The nodes that reads one after the other are sent to. */
  const reads = async (count: number): Promise<string[]> => {
    const asked: string[] = [];
    for (let i = 0; i < count; i++) {
      const node = nearest.choose(NODES) ?? "any";
      asked.push(node);
      if (node !== "any") await ask(node, trips[node]!);
    }
    return asked;
  };

  it("asks each node twice, and then in turns those that are about as near as the nearest", async () => {
    trips = { [A]: 2, [B]: 80, [C]: 5 };
    // The first time a connection is opened, too.
    await ask(A, 40);
    assert.deepEqual(await reads(5), [A, B, B, C, C]);
    const asked = await reads(10);
    assert.equal(asked.filter((node) => node === A).length, 5);
    assert.equal(asked.filter((node) => node === C).length, 5);
  });

  it("gives a node that nobody knows to one read at a time", () => {
    const asked = NODES.map(() => {
      const node = nearest.choose(NODES)!;
      void nearest.ask(node, true, 30_000, () => new Promise<never>(() => {}));
      return node;
    });
    assert.deepEqual(asked, [A, B, C]);
    assert.equal(nearest.choose(NODES), undefined);
  });

  it("looks at a node that is farther away again after seconds, by one read, and comes back to it", async () => {
    trips[B] = 80;
    await reads(6);
    now += 4_500;
    assert.ok(!(await reads(10)).includes(B));
    now += 500;
    assert.equal((await reads(10)).filter((node) => node === B).length, 1);
    trips[B] = 1;
    now += 5_000;
    assert.ok((await reads(10)).filter((node) => node === B).length > 2);
  });

  it("leaves out a node that has become slow, but not for one long read", async () => {
    await reads(6);
    await ask(B, 100);
    assert.ok((await reads(3)).includes(B));
    for (let i = 0; i < 3; i++) await ask(B, 100);
    assert.ok(!(await reads(9)).includes(B));
  });

  it("leaves out a node that has failed or is too stale, and none for a request that is wrong", async () => {
    await reads(6);
    await ask(A, 1, failed("never"));
    assert.ok((await reads(3)).includes(A));
    await ask(A, 1, failed("elsewhere"));
    await ask(B, 1, failed("never", new StaleReadError("stale")));
    assert.deepEqual(new Set(await reads(9)), new Set([C]));
    now += 5_000;
    assert.deepEqual(new Set(await reads(6)), new Set([A, B, C]));
  });

  it("sends no further read to a node that has stopped answering", async () => {
    await reads(6);
    void nearest.ask(B, true, 30_000, () => new Promise<never>(() => {}));
    now += 300;
    assert.ok(!(await reads(9)).includes(B));
  });

  it("forgets a read that never ends, as in a Worker whose request is gone, where the node answers others", async () => {
    await reads(6);
    void nearest.ask(B, true, 30_000, () => new Promise<never>(() => {}));
    now += 5_000;
    assert.ok((await reads(9)).includes(B));
    now += 300;
    assert.ok((await reads(9)).filter((node) => node === B).length > 1);
  });

  it("lets a look at a node that was left out take half a second, where others would have answered", async () => {
    const limits: number[] = [];
    const limit = (node: string, first = true) =>
      nearest.ask(node, first, 30_000, (limit) => {
        limits.push(limit);
        return Promise.resolve(SERVED);
      });
    await limit(A);
    await ask(B, 1, failed("elsewhere"));
    await limit(B);
    await ask(B, 1, failed("elsewhere"));
    await limit(B, false);
    assert.deepEqual(limits, [30_000, 500, 30_000]);
  });

  it("names none where all have failed", async () => {
    await reads(6);
    for (const node of NODES) await ask(node, 1, failed("elsewhere"));
    assert.deepEqual(await reads(2), ["any", "any"]);
  });
});

const ROW: Step = { body: { results: [{ columns: ["1"], types: ["integer"], values: [[1]] }] } };
const STALE: Step = { body: { results: [], error: "stale read" } };

/** A client of scripted nodes, and how often each was asked at each level. */
function world(answer: (host: string, level: string) => Step, options: ConnectOptions = {}) {
  const asked: string[] = [];
  const fetch = scriptedFetch(({ url }) => {
    const { hostname, searchParams } = new URL(url);
    const level = searchParams.get("level")!;
    asked.push(`${hostname} ${level}`);
    return answer(hostname, level);
  });
  const db = connect(NODES, {
    fetch: fetch as typeof globalThis.fetch,
    coalesce: false,
    level: "none",
    ...options,
  });
  return { db, asked };
}

describe("reads that any node may answer", () => {
  it("are spread, and others stay with one node", async () => {
    const { db, asked } = world(() => ROW);
    for (let i = 0; i < 9; i++) await db.query("SELECT 1");
    for (const host of ["a", "b", "c"]) assert.ok(asked.includes(`${host} none`), host);
    asked.length = 0;
    for (let i = 0; i < 5; i++) await db.query("SELECT 1", [], { level: "weak" });
    assert.deepEqual(new Set(asked), new Set(["a weak"]));
  });

  it("are spread from the first on, where several are made at once", async () => {
    const { db, asked } = world(() => ROW);
    await Promise.all(NODES.map(() => db.query("SELECT 1")));
    assert.deepEqual(asked, ["a none", "b none", "c none"]);
  });

  it("stay with one node that answers where nothing is repeated, as a look may fail", async () => {
    const { db, asked } = world(() => ROW, { retries: 0 });
    for (let i = 0; i < 6; i++) await db.query("SELECT 1");
    assert.deepEqual(new Set(asked), new Set(["a none"]));
  });

  it("that are too stale are read from the leader, and the node is left out for a while", async () => {
    const { db, asked } = world((host, level) => host === "b" && level === "none" ? STALE : ROW, {
      freshness: 1_000,
    });
    for (let i = 0; i < 12; i++) assert.deepEqual((await db.query("SELECT 1")).rows, [{ 1: 1 }]);
    assert.equal(asked.filter((one) => one === "b none").length, 1);
    assert.equal(asked.filter((one) => one.endsWith(" weak")).length, 1);
  });

  it("are a StaleReadError where they are too stale and no leader answers, which is its cause", async () => {
    const { db } = world(
      (_, level) => level === "none" ? STALE : { status: 503, body: "leader not found" },
      {
        freshness: 1_000,
        retries: 0,
      },
    );
    await assert.rejects(db.query("SELECT 1"), (error: StaleReadError) => {
      assert.ok(error instanceof StaleReadError, String(error));
      assert.match(
        error.message,
        /staler than `freshness` allows, and the leader .*leader not found/,
      );
      assert.ok(error.cause instanceof OperationalError);
      return true;
    });
  });
});
