import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { freePort } from "../support/ports.ts";
import { REDIS_KINDS, type RedisKind, skipWithoutRedis, startRedis } from "../support/redis.ts";
import { skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";

interface Ran {
  readonly code: number | string | null;
  /** What the counter became without the lock and with it. */
  readonly counts: readonly number[];
  readonly stderr: string;
}

/** Runs an example on the engine that runs this test. */
function run(name: string, ...flags: readonly string[]): Promise<Ran> {
  const start = "deno" in process.versions ? ["run", "-A"] : [];
  const file = fileURLToPath(new URL(`../../examples/locks/${name}.ts`, import.meta.url));
  return new Promise((resolve) => {
    execFile(process.execPath, [...start, file, ...flags], (error, stdout, stderr) => {
      const counts = [...stdout.matchAll(/✓ .* 25 times each: 0 became (\d+)/g)];
      const code = error === null ? 0 : error.code ?? null;
      resolve({ code, counts: counts.map(([, n]) => Number(n)), stderr });
    });
  });
}

function assertCounted({ code, counts: [unlocked, locked], stderr }: Ran, total: number): void {
  assert.equal(code, 0, stderr);
  assert.ok(unlocked! < total, `nothing was lost without the lock: ${unlocked}`);
  assert.equal(locked, total);
}

describe("examples/locks/local.ts", () => {
  it("loses updates without the lock and none with it", async () => {
    assertCounted(await run("local"), 200);
  });
});

describe("examples/locks/rqlite.ts", { skip: skipWithoutRqlited() }, () => {
  it("loses updates without the lock and none with it", async () => {
    const server = await startRqlited();
    try {
      assertCounted(await run("rqlite", `--url=${server.url}`), 75);
    } finally {
      await server.stop();
    }
  });
});

async function count(kind: RedisKind): Promise<void> {
  const server = await startRqlited();
  const store = await startRedis(kind);
  try {
    assertCounted(await run(kind, `--url=${server.url}`, `--${kind}=${store.url}`), 75);
  } finally {
    await store.stop();
    await server.stop();
  }
}

for (const kind of REDIS_KINDS) {
  const skip = skipWithoutRqlited() || skipWithoutRedis(kind);
  describe(`examples/locks/${kind}.ts`, { skip }, () => {
    it("loses updates without the lock and none with it", () => count(kind));

    it("ends with code 1 where the server of the lock is not there", async () => {
      const server = await startRqlited();
      try {
        const away = `--${kind}=redis://127.0.0.1:${await freePort()}`;
        const { code, stderr } = await run(kind, `--url=${server.url}`, away);
        assert.equal(code, 1);
        assert.match(stderr, /ECONNREFUSED[^]*✗ One of the processes failed/);
      } finally {
        await server.stop();
      }
    });
  });
}
