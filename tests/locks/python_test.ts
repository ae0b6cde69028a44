// Locks of tangled-pyrqlite, by redis-py and valkey-py, and ours are the same locks.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { LockTimeoutError } from "../../mod.ts";
import { withLock } from "../../src/locks/mod.ts";
import { PythonChild, skipWithoutPython } from "../support/python.ts";
import { REDIS_KINDS, skipWithoutRedis } from "../support/redis.ts";
import { lockOf, onRedis } from "./redis_world.ts";

const HOLDER = fileURLToPath(new URL("./holder.py", import.meta.url));

for (const kind of REDIS_KINDS) {
  const skip = skipWithoutRedis(kind) || skipWithoutPython();
  describe(`a lock shared with tangled-pyrqlite on ${kind}-server`, { skip }, () => {
    it("is one that Python holds, and one that Python cannot take (locks test 21)", () =>
      onRedis(async ({ server, command }) => {
        const python = new PythonChild(HOLDER, [kind, String(server.port), "a"]);
        const lock = lockOf(command, { keyPrefix: "pyrqlite:lock:" });
        try {
          assert.equal(await python.ask("acquire"), "taken");
          await assert.rejects(lock.acquire({ timeout: 60 }), LockTimeoutError);
          assert.equal(await python.ask("release"), "released");
          const handle = await lock.acquire({ timeout: 0 });
          assert.equal(await python.ask("acquire"), "refused");
          assert.equal(await handle.release(), true);
          assert.equal(await python.ask("acquire"), "taken");
          const waiting = lock.acquire();
          assert.equal(await python.ask("release"), "released");
          assert.equal(await (await waiting).release(), true);
        } finally {
          await python.stop();
        }
      }, { kind }));

    it("lets one of both in at a time: they count to the exact number (locks test 21)", () =>
      onRedis(async ({ server, command }) => {
        const args = [kind, String(server.port), "a"];
        const children = [new PythonChild(HOLDER, args), new PythonChild(HOLDER, args)];
        const lock = lockOf(command, { keyPrefix: "pyrqlite:lock:" });
        try {
          const count = async (): Promise<void> => {
            for (let i = 0; i < 10; i++) {
              await withLock(lock, async () => {
                const value = Number(await server.send("GET", "counter") ?? 0);
                await server.send("SET", "counter", String(value + 1));
              }, { timeout: 60_000 });
            }
          };
          await Promise.all([...children.map((child) => child.ask("count 10")), count(), count()]);
          assert.equal(await server.send("GET", "counter"), "40");
        } finally {
          await Promise.all(children.map((child) => child.stop()));
        }
      }, { kind }));
  });
}
