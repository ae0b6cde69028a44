// When a waiter tries again: within its limits, and the sooner the longer it has waited.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Pace } from "../../src/locks/pace.ts";

const mean = (draw: () => number): number => {
  let sum = 0;
  for (let i = 0; i < 2_000; i++) sum += draw();
  return sum / 2_000;
};

/** One that had to wait that long for its turns. */
function experienced(waited: number): Pace {
  const pace = new Pace(20);
  for (let i = 0; i < 50; i++) pace.taken(waited, 3);
  return pace;
}

describe("Pace", () => {
  it("wait() stays between 1 ms and the longest delay", () => {
    for (const longest of [1, 5, 20, 1_000]) {
      const pace = new Pace(longest);
      for (const usual of [0, 50, 5_000]) {
        pace.taken(usual, 1);
        for (const age of [0, 1, 10, 1_000, 1e7]) {
          const wait = pace.wait(age);
          assert.ok(wait >= 1 && wait <= longest, `${wait} after ${age}`);
        }
      }
    }
  });

  it("wait() is shorter for who has waited for long, as long as that is usual", () => {
    const pace = experienced(100);
    assert.ok(mean(() => pace.wait(0)) > 2 * mean(() => pace.wait(80)));
  });

  it("wait() is long again for what may take for ever", () => {
    const pace = experienced(10);
    assert.ok(mean(() => pace.wait(60_000)) > 5);
  });

  it("ahead() is nothing while nobody else wants the lock", () => {
    const pace = new Pace(20);
    assert.equal(pace.ahead(performance.now()), 0);
    pace.taken(0.2, 0);
    pace.released();
    assert.equal(pace.ahead(performance.now()), 0);
  });

  it("ahead() lets others try first behind a turn that had to be waited for, once", () => {
    const pace = experienced(100);
    pace.released();
    const ahead = pace.ahead(performance.now());
    assert.ok(ahead > 0 && ahead <= 20);
    pace.taken(0.2, 0);
    pace.released();
    assert.equal(pace.ahead(performance.now()), 0);
  });
});
