import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { attemptLimit, retryAfter, retryDelay } from "../../src/transport/retry.ts";
import type { Applied, Next } from "../../src/transport/transport.ts";

const first = { attempt: 0, retries: 3, repeatable: false };

describe("retryDelay()", () => {
  const cases: [Applied, Next, boolean, boolean][] = [
    // applied, next, repeatable, is it sent again?
    ["no", "elsewhere", false, true],
    ["no", "elsewhere", true, true],
    ["no", "leaderless", false, true],
    ["no", "leaderless", true, true],
    ["no", "never", false, false],
    ["no", "never", true, false],
    ["maybe", "elsewhere", false, false],
    ["maybe", "elsewhere", true, true],
    ["maybe", "leaderless", false, false],
    ["maybe", "leaderless", true, true],
    ["maybe", "never", true, false],
    ["yes", "elsewhere", false, false],
    ["yes", "elsewhere", true, false],
  ];
  for (const [applied, next, repeatable, again] of cases) {
    const what = `applied: ${applied}, next: ${next}, ${repeatable ? "" : "not "}repeatable`;
    it(`${again ? "repeats" : "gives up"} (${what})`, () => {
      const delay = retryDelay({ ...first, applied, next, repeatable });
      assert.equal(delay !== undefined, again);
    });
  }

  it("stops after the allowed attempts", () => {
    const what = { applied: "no", next: "elsewhere", retries: 2, repeatable: true } as const;
    assert.notEqual(retryDelay({ ...what, attempt: 1 }), undefined);
    assert.equal(retryDelay({ ...what, attempt: 2 }), undefined);
    assert.equal(retryDelay({ ...what, attempt: 0, retries: 0 }), undefined);
  });

  it("outlasts an election of two seconds with the default of three repeats", () => {
    const waits = [0, 1, 2].map((attempt) =>
      retryDelay({ ...first, attempt, applied: "no", next: "leaderless" }, () => 0)!
    );
    assert.ok(waits.reduce((sum, wait) => sum + wait) > 2000);
  });

  it("spreads repeats over the whole wait", () => {
    const what = { ...first, attempt: 1, applied: "no", next: "elsewhere" } as const;
    assert.equal(retryDelay(what, () => 0), 0);
    assert.equal(retryDelay(what, () => 0.5), 100);
  });

  it("waits at least as long as the server asks", () => {
    const what = { ...first, applied: "no", next: "elsewhere", retryAfter: 5000 } as const;
    assert.equal(retryDelay(what, () => 0), 5000);
  });

  it("does not wait for another node where this one asked for a pause", () => {
    const what = { ...first, applied: "no", next: "leaderless", retryAfter: 0 } as const;
    assert.equal(retryDelay(what, () => 1), 0);
  });
});

describe("attemptLimit()", () => {
  const what = { attempt: 0, retries: 3, repeatable: true, several: true };

  it("leaves half of the time to the other nodes", () => {
    assert.equal(attemptLimit(1000, what), 500);
  });

  it("gives all of it to an attempt that no other can follow", () => {
    assert.equal(attemptLimit(1000, { ...what, attempt: 3 }), 1000);
    assert.equal(attemptLimit(1000, { ...what, repeatable: false }), 1000);
    assert.equal(attemptLimit(1000, { ...what, several: false }), 1000);
  });
});

describe("retryAfter()", () => {
  it("reads seconds and dates", () => {
    assert.equal(retryAfter("3"), 3000);
    const now = Date.parse("2026-01-01T00:00:00Z");
    assert.equal(retryAfter("Thu, 01 Jan 2026 00:00:07 GMT", now), 7000);
  });

  it("ignores what it cannot use", () => {
    assert.equal(retryAfter(null), undefined);
    assert.equal(retryAfter("soon"), undefined);
    for (
      const text of ["Thu, 01 Jan 1970 00:00:00 GMT", "soon, in 2100", "-5", "1e12", "1.5", ""]
    ) {
      assert.equal(retryAfter(text), undefined, text);
    }
  });
});
