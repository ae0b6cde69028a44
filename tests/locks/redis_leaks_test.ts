// What a lock in Redis leaves behind when it is over: nothing, however it ended.
import assert from "node:assert/strict";
import { LockTimeoutError, LockUnavailableError } from "../../mod.ts";
import { LocalLock } from "../../src/locks/mod.ts";
import type { RedisCommand } from "../../src/locks/redis.ts";
import { test } from "../support/test.ts";
import { lockOf } from "./redis_world.ts";

/** A server with one key, in this process. */
function oneKey(): RedisCommand {
  let owner: string | undefined;
  return ([, script = "", , , token], _key) => {
    const acquires = script.includes("PTTL");
    const free = acquires ? owner === undefined || owner === token : owner === token;
    if (!free) return Promise.resolve(acquires ? [0, 5_000] : 0);
    owner = script.includes("DEL") ? undefined : token;
    return Promise.resolve(acquires ? [1, token] : 1);
  };
}

test("RedisLock leaves no timer when it was held", async () => {
  const handle = await lockOf(oneKey(), { leaseDuration: 30_000 }).acquire();
  assert.equal(await handle.release(), true);
});

test("RedisLock leaves no timer and no place in the queue when it is given up", async () => {
  const command = oneKey();
  const handle = await lockOf(command).acquire();
  const other: RedisCommand = (args, key) => command(args, key);
  for (const mine of [command, other]) {
    const reason = new Error("enough");
    const controller = new AbortController();
    const waiting = lockOf(mine).acquire({ signal: controller.signal });
    controller.abort(reason);
    await assert.rejects(waiting, reason);
    await assert.rejects(lockOf(mine).acquire({ timeout: 5 }), LockTimeoutError);
  }
  await handle.release();
  await (await lockOf(command).acquire({ timeout: 0 })).release();
  await (await lockOf(other).acquire({ timeout: 0 })).release();
});

test("RedisLock leaves no timer when a command fails or never ends", async () => {
  const broken: RedisCommand = (_args, _key) => Promise.reject(new TypeError("no method"));
  await assert.rejects(lockOf(broken).acquire(), LockUnavailableError);
  const thrown: RedisCommand = (_args, _key) => {
    throw new Error("NOPERM not you");
  };
  await assert.rejects(lockOf(thrown).acquire(), LockUnavailableError);
  const dead: RedisCommand = (_args, _key) => Promise.reject(new Error("read ECONNRESET"));
  await assert.rejects(lockOf(dead).acquire({ timeout: 5 }), LockTimeoutError);
  const stuck: RedisCommand = (_args, _key) => new Promise(() => {});
  await assert.rejects(lockOf(stuck).acquire({ timeout: 5 }), LockTimeoutError);
});

test("LocalLock leaves no timer", async () => {
  const lock = new LocalLock();
  const handle = await lock.acquire();
  await assert.rejects(lock.acquire({ timeout: 1 }), LockTimeoutError);
  const controller = new AbortController();
  const waiting = lock.acquire({ signal: controller.signal });
  controller.abort(new Error("enough"));
  await assert.rejects(waiting, /enough/);
  const next = lock.acquire();
  await handle.release();
  await (await next).release();
});
