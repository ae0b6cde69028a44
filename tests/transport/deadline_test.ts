import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Deadline, Interrupted, within } from "../../src/transport/deadline.ts";

const never = (): Promise<never> => new Promise(() => {});
const open = (): AbortSignal => new AbortController().signal;

describe("Deadline", () => {
  it("never has less than nothing left", () => {
    assert.equal(new Deadline(-5).remaining, 0);
    assert.equal(new Deadline(Infinity).remaining, Infinity);
  });
});

describe("within()", () => {
  it("passes on what the work gives or throws", async () => {
    const signals = { abort: undefined, close: open() };
    assert.equal(await within(Infinity, signals, () => Promise.resolve(7)), 7);
    await assert.rejects(within(1000, signals, () => Promise.reject(new Error("mine"))), /mine/);
  });

  it("ends work that ignores its signal when time is up", async () => {
    await assert.rejects(within(5, { abort: undefined, close: open() }, never), { by: "limit" });
  });

  it("tells the caller's signal from the closing one", async () => {
    const abort = AbortSignal.abort("reason");
    await assert.rejects(within(1000, { abort, close: open() }, never), { by: "abort" });
    await assert.rejects(within(1000, { abort: undefined, close: abort }, never), { by: "close" });
  });

  it("does not begin work that is over before it starts", async () => {
    let begun = false;
    const work = (): Promise<void> => {
      begun = true;
      return Promise.resolve();
    };
    await assert.rejects(
      within(1000, { abort: AbortSignal.abort(), close: open() }, work),
      Interrupted,
    );
    assert.equal(begun, false);
  });

  it("tells the work that it is over", async () => {
    const controller = new AbortController();
    let told: AbortSignal | undefined;
    const ended = within(1000, { abort: controller.signal, close: open() }, (signal) => {
      told = signal;
      return never();
    });
    controller.abort();
    await assert.rejects(ended, { by: "abort" });
    assert.equal(told?.aborted, true);
  });
});
