// Options of a lock in Redis that cannot be, and what is left out.
import fc from "fast-check";
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LockError } from "../../mod.ts";
import { type RedisCommand, RedisLock } from "../../src/locks/redis.ts";
import { lockOf } from "./redis_world.ts";

/** The key that a lock asks for; `undefined` if there can be no such lock. */
async function keySent(keyPrefix: string, name: string): Promise<string | undefined> {
  let sent: string | undefined;
  const command: RedisCommand = (args, key) => {
    assert.equal(args[3], key);
    sent = key;
    return Promise.resolve(args[1]!.includes("PTTL") ? [1, args[4]] : 1);
  };
  let lock: RedisLock;
  try {
    lock = new RedisLock({ keyPrefix, name, command });
  } catch (error) {
    assert.ok(error instanceof TypeError);
    return undefined;
  }
  assert.equal(await (await lock.acquire()).release(), true);
  return sent;
}

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
    ["a limit of renewals without any", { renew: false, maxHoldTime: 60_000 }, TypeError],
    ["a name with half a character", { name: "a\ud800" }, TypeError],
    ["a prefix with half a character", { keyPrefix: "\udc00:lock:" }, TypeError],
    ["a prefix that does not end", { keyPrefix: "app" }, TypeError],
    ["a prefix that ends twice", { keyPrefix: ":lock:lock:" }, TypeError],
    ["a prefix that goes on", { keyPrefix: "app:lock:a:" }, TypeError],
    ["a name with a colon behind a prefix that ends in a colon", {
      keyPrefix: "app:",
      name: "a:b",
    }, TypeError],
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

  it("RedisLock() takes `maxHoldTime` beside renewals, and `renew: false` alone", () => {
    for (
      const options of [{ renew: true, maxHoldTime: 1 }, { renew: false, maxHoldTime: undefined }]
    ) {
      assert.equal(new RedisLock({ name: "a", command, ...options }).name, "a");
    }
  });

  it("RedisLock() makes one key of one pair of prefix and name only", async () => {
    const piece = fc.constantFrom(
      "rqlite",
      "py",
      ":lock:",
      ":",
      "lock",
      "a",
      "\0",
      "é",
      "💡",
      "{",
      " ",
    );
    const keys = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(""));
    let several = 0;
    const check = fc.asyncProperty(keys, async (key) => {
      const made: string[] = [];
      for (let at = 0; at < key.length; at++) {
        const [keyPrefix, name] = [key.slice(0, at), key.slice(at)];
        const sent = await keySent(keyPrefix, name);
        if (sent === undefined) continue;
        assert.equal(sent, key);
        made.push(keyPrefix);
      }
      assert.ok(made.length <= 1, JSON.stringify([key, made]));
      several += made.length;
    });
    await fc.assert(check, { numRuns: 300 });
    assert.ok(several > 0);
    for (const keyPrefix of ["rqlite:lock:", "pyrqlite:lock:"]) {
      for (const name of ["a", "a:b", ":lock:", "lock:", "rqlite:lock:a", "\0"]) {
        assert.equal(await keySent(keyPrefix, name), keyPrefix + name);
      }
    }
    assert.equal(await keySent("app:", "a"), "app:a");
    assert.equal(await keySent("", "a"), "a");
  });

  it("errors of locks are errors of the outside world, with a code and the name", async () => {
    const dead: RedisCommand = (_args, _key) => Promise.reject(new Error("gone"));
    const error = await lockOf(dead).acquire({ timeout: 0 }).catch((reason) => reason);
    assert.ok(error instanceof LockError);
    assert.deepEqual([error.code, error.lock, error.retryable], ["ERR_LOCK_TIMEOUT", "a", false]);
  });
});
