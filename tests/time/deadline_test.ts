import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Closing } from "../../src/time/closing.ts";
import { Deadline } from "../../src/time/deadline.ts";
import { Interrupted, within } from "../../src/time/within.ts";

const never = (): Promise<never> => new Promise(() => {});

describe("Deadline", () => {
  it("never has less than nothing left", () => {
    assert.equal(new Deadline(-5).remaining, 0);
    assert.equal(new Deadline(Infinity).remaining, Infinity);
  });
});

describe("within()", () => {
  it("passes on what the work gives or throws", async () => {
    const signals = { abort: undefined, closing: new Closing() };
    assert.equal(await within(Infinity, signals, () => Promise.resolve(7)), 7);
    await assert.rejects(within(1000, signals, () => Promise.reject(new Error("mine"))), /mine/);
  });

  it("ends work that ignores its signal when time is up", async () => {
    await assert.rejects(within(5, { abort: undefined, closing: new Closing() }, never), {
      by: "limit",
    });
  });

  it("tells the caller's signal from the closing of the client", async () => {
    const abort = AbortSignal.abort("reason");
    await assert.rejects(within(1000, { abort, closing: new Closing() }, never), { by: "abort" });
    const closing = new Closing();
    const ended = within(1000, { abort: undefined, closing }, never);
    closing.close();
    await assert.rejects(ended, { by: "close" });
    await assert.rejects(within(1000, { abort: undefined, closing }, never), { by: "close" });
  });

  it("does not begin work that is over before it starts", async () => {
    let begun = false;
    const work = (): Promise<void> => {
      begun = true;
      return Promise.resolve();
    };
    await assert.rejects(
      within(1000, { abort: AbortSignal.abort(), closing: new Closing() }, work),
      Interrupted,
    );
    assert.equal(begun, false);
  });

  it("tells the work that it is over", async () => {
    const controller = new AbortController();
    let told: AbortSignal | undefined;
    const ended = within(1000, { abort: controller.signal, closing: new Closing() }, (signal) => {
      told = signal;
      return never();
    });
    controller.abort();
    await assert.rejects(ended, { by: "abort" });
    assert.equal(told?.aborted, true);
  });
});
