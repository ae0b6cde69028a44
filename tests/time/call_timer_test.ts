// Timers that are handed from call to call: how many are set, when they ring, and that none is left.
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { connect } from "../../mod.ts";
import { CallTimer } from "../../src/time/call_timer.ts";
import { scriptedFetch } from "../support/scripted_fetch.ts";

interface Timer {
  readonly ring: () => void;
  readonly delay: number | undefined;
  readonly set: number;
}

describe("CallTimer", () => {
  const { setTimeout, clearTimeout } = globalThis;
  let timers: Timer[];
  let running: Set<number>;
  let now: number;
  let realNow: () => number;

  beforeEach(() => {
    [timers, running, now] = [[], new Set(), 0];
    realNow = performance.now;
    performance.now = () => now;
    const set = (ring: () => void, delay?: number): number => {
      running.add(timers.push({ ring, delay, set: now }));
      return timers.length;
    };
    globalThis.setTimeout = set as unknown as typeof setTimeout;
    const clear = (timer?: unknown): void => void running.delete(timer as number);
    globalThis.clearTimeout = clear as typeof clearTimeout;
  });

  afterEach(() => {
    performance.now = realNow;
    Object.assign(globalThis, { setTimeout, clearTimeout });
  });

  /** What happens when a timer ends. */
  const ring = (timer: Timer): void => {
    running.delete(timers.indexOf(timer) + 1);
    now = timer.set + timer.delay!;
    timer.ring();
  };

  /** Until all that is ready has run. */
  const settled = () => new Promise((resolve) => setTimeout.call(globalThis, resolve, 0));

  it("is taken over by a call that begins when another has ended, and leaves nothing behind", async () => {
    const fetch = scriptedFetch(() => ({
      body: { results: [{ columns: ["1"], types: ["integer"], values: [[1]] }] },
    }));
    const db = connect("http://a:4001", { fetch, level: "weak" });
    for (let i = 0; i < 5; i++) await db.query("SELECT 1");
    await settled();
    assert.deepEqual([timers.length, running.size], [1, 0]);
    await db.query("SELECT 1");
    await settled();
    assert.deepEqual([timers.length, running.size], [2, 0]);
    await db.close();
  });

  it("rings at the end of the call that has taken it over, once", () => {
    const rung: string[] = [];
    CallTimer.set(1_000, () => rung.push("first"))();
    now = 400;
    CallTimer.set(1_000, () => rung.push("second"));
    assert.equal(timers.length, 1);
    ring(timers[0]!);
    assert.deepEqual([rung, timers[1]?.delay], [[], 400]);
    ring(timers[1]!);
    assert.deepEqual([rung, running.size], [["second"], 0]);
  });

  it("rings at once where it comes late for the call that has taken it over, too", () => {
    CallTimer.set(1_000, () => {})();
    now = 400;
    let rung = false;
    CallTimer.set(1_000, () => rung = true);
    now = 3_000; // such as of a process that stood still
    timers[0]!.ring();
    assert.ok(rung);
    assert.equal(timers.length, 1);
  });

  it("waits for what is left of the call that has taken it over where it comes late", () => {
    CallTimer.set(1_000, () => {})();
    now = 400;
    CallTimer.set(1_000, () => {});
    now = 1_300;
    timers[0]!.ring();
    assert.equal(timers[1]?.delay, 100);
  });

  it("is not taken over once it has rung: some engines run timers in front of what is ready", () => {
    CallTimer.set(1_000, () => {})();
    ring(timers[0]!);
    let rung = false;
    CallTimer.set(1_000, () => rung = true);
    ring(timers[1]!);
    assert.ok(rung);
  });

  it("is not stopped by a call that has handed it on, and ends a second time", () => {
    const stop = CallTimer.set(1_000, () => {});
    stop();
    let rung = false;
    CallTimer.set(1_000, () => rung = true);
    stop();
    assert.equal(timers.length, 1);
    ring(timers[0]!);
    assert.ok(rung);
  });

  it("is not taken over by a call that ends before", async () => {
    const rung: string[] = [];
    CallTimer.set(1_000, () => rung.push("first"))();
    const short = CallTimer.set(100, () => rung.push("short"));
    assert.deepEqual(timers.map(({ delay }) => delay), [1_000, 100]);
    ring(timers[1]!);
    assert.deepEqual(rung, ["short"]);
    short();
    await settled();
    assert.equal(running.size, 0);
  });

  it("is of its own for each of the calls that run at once", async () => {
    const alarms = [1, 2, 3].map(() => CallTimer.set(1_000, () => {}));
    assert.equal(running.size, 3);
    for (const stop of alarms) stop();
    await settled();
    assert.equal(running.size, 0);
  });

  it("waits longer than a timer can", () => {
    let rung = false;
    CallTimer.set(2 ** 31 + 9, () => rung = true);
    ring(timers[0]!);
    assert.deepEqual([rung, timers[1]?.delay], [false, 10]);
    ring(timers[1]!);
    assert.ok(rung);
  });
});
