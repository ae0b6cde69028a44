// One timer for several moments: whom it calls, when, and that nothing of it stays.
import assert from "node:assert/strict";
import { HolderTimer } from "../../src/time/holder_timer.ts";
import { sleep } from "../support/http.ts";
import { test } from "../support/test.ts";

test("HolderTimer calls once what was set last, sooner or later than what was set before", async () => {
  for (const [first, second] of [[5, 20], [20, 5], [5, 5]] as const) {
    const alarm = new HolderTimer();
    const calls: string[] = [];
    alarm.set(first, () => calls.push("first"), false);
    await new Promise<void>((resolve) => {
      alarm.set(second, () => {
        calls.push("second");
        resolve();
      }, false);
    });
    await sleep(20);
    assert.deepEqual(calls, ["second"]);
  }
});

test("HolderTimer calls nobody after drop() and clear(), and takes the next one", async () => {
  const alarm = new HolderTimer();
  const calls: string[] = [];
  const [one, two] = [() => calls.push("one"), () => calls.push("two")];
  alarm.set(5, one, false);
  alarm.drop(two); // not what was to be called
  await sleep(15);
  alarm.set(5, one, true);
  alarm.drop(one);
  await sleep(15);
  alarm.set(5, two, false);
  await sleep(15);
  alarm.set(5, one, false);
  alarm.clear();
  await sleep(15);
  assert.deepEqual(calls, ["one", "two"]);
});

test("HolderTimer leaves no timer behind after clear()", () => {
  const alarm = new HolderTimer();
  alarm.set(60_000, () => {}, false);
  alarm.set(10_000, () => {}, true);
  alarm.set(90_000, () => {}, false);
  alarm.drop();
  alarm.clear();
  alarm.clear();
});
