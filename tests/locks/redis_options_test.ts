// Options of a lock in Redis that cannot be, and what is left out.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LockError } from "../../mod.ts";
import { type RedisCommand, RedisLock } from "../../src/locks/redis.ts";
import { lockOf } from "./redis_world.ts";

describe("options of RedisLock", () => {
  const command: RedisCommand = (_args, _key) => Promise.resolve(null);
  const cases: [string, unknown, typeof TypeError | typeof RangeError][] = [
    ["an empty name", { name: "" }, TypeError],
    ["no name", { name: undefined }, TypeError],
    ["a lease under 10 ms", { leaseDuration: 9 }, RangeError],
    ["a lease without end", { leaseDuration: Infinity }, RangeError],
    ["a lease that is text", { leaseDuration: "10000" }, TypeError],
    ["no time to hold", { maxHoldTime: 0 }, RangeError],
    ["a time to hold that is no number", { maxHoldTime: NaN }, RangeError],
    ["no delay", { maxRetryDelay: 0 }, RangeError],
    ["a delay without end", { maxRetryDelay: Infinity }, RangeError],
    ["a prefix that is no text", { keyPrefix: 5 }, TypeError],
    ["a client without an adapter", { command: { sendCommand() {} } }, TypeError],
    ["no command", { command: undefined }, TypeError],
  ];
  for (const [what, options, kind] of cases) {
    it(`RedisLock() refuses ${what}`, () => {
      assert.throws(
        () => new RedisLock({ name: "a", command, ...options as object }),
        (error) => error instanceof kind && error.message.startsWith("Cannot use `"),
      );
    });
  }

  it("RedisLock() takes what is undefined for what it is by default", () => {
    const options = { leaseDuration: undefined, renew: undefined, keyPrefix: undefined };
    assert.equal(new RedisLock({ name: "a", command, ...options as object }).name, "a");
  });

  it("errors of locks are errors of the outside world, with a code and the name", async () => {
    const dead: RedisCommand = (_args, _key) => Promise.reject(new Error("gone"));
    const error = await lockOf(dead).acquire({ timeout: 0 }).catch((reason) => reason);
    assert.ok(error instanceof LockError);
    assert.deepEqual([error.code, error.lock, error.retryable], ["ERR_LOCK_TIMEOUT", "a", false]);
  });
});
