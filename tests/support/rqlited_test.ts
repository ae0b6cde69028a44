import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { startCluster } from "./cluster.ts";
import { features } from "./features.ts";
import { ask, sleep } from "./http.ts";
import { skipWithoutRqlited, spawnRqlited, startRqlited } from "./rqlited.ts";
import { rqlitedBinary } from "./rqlited_binary.ts";

const skip = skipWithoutRqlited();

describe("rqlited harness", { skip }, () => {
  it("startRqlited() starts a server that keeps its data over kill() and restart()", async () => {
    const server = await startRqlited();
    try {
      await server.sql("CREATE TABLE t (x)", ["INSERT INTO t VALUES (?)", 41]);
      await server.kill();
      assert.equal(server.running, false);
      await assert.rejects(server.ask("/readyz"));
      await server.restart();
      const [result] = await server.sql("SELECT x FROM t");
      assert.deepEqual((result as { values: unknown }).values, [[41]]);
    } finally {
      await server.stop();
    }
    assert.equal(existsSync(server.directory), false);
  });

  it("pause() lets the server hang until resume()", async () => {
    const server = await startRqlited();
    try {
      await server.pause();
      await assert.rejects(server.ask("/readyz", { limit: 200 }), /No answer in 200 ms/);
      server.resume();
      assert.equal((await server.ask("/readyz")).status, 200);
    } finally {
      await server.stop();
    }
  });

  it("shutdown() ends a server that ignores SIGTERM", { timeout: 30_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), "deaf-"));
    const path = join(folder, "rqlited");
    writeFileSync(path, "#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 0.1; done\n", { mode: 0o755 });
    const server = await spawnRqlited({ binary: { ...rqlitedBinary(), path } });
    try {
      await sleep(500); // the trap is set
      await server.shutdown();
      assert.equal(server.running, false);
    } finally {
      await server.stop();
      rmSync(folder, { recursive: true });
    }
  });

  it("startRqlited() turns authentication on", async () => {
    const auth = [{ username: "reader", password: "secret", perms: ["query"] }];
    const server = await startRqlited({ auth });
    try {
      assert.equal((await ask(`${server.url}/db/query?q=SELECT%201`)).status, 401);
      const headers = { authorization: `Basic ${btoa("reader:secret")}` };
      assert.equal((await ask(`${server.url}/db/query?q=SELECT%201`, { headers })).status, 200);
      assert.equal((await server.sql("SELECT 1")).length, 1);
    } finally {
      await server.stop();
    }
  });

  it("startRqlited() tells why a server did not start", async () => {
    await assert.rejects(startRqlited({ args: ["-no-such-flag"] }), /no-such-flag/);
  });

  it("features() tells an old server from a current one by what they do", async () => {
    const server = await startRqlited();
    try {
      const found = await features(server.url);
      assert.equal(found.explain, server.major >= 10);
      assert.equal(found.raftIndex, server.major >= 9);
    } finally {
      await server.stop();
    }
  });
});

describe("cluster harness", { skip }, () => {
  it("startCluster() elects another leader when the leader is killed", async () => {
    const cluster = await startCluster(3);
    try {
      const first = await cluster.leader();
      await first.sql("CREATE TABLE t (x)");
      await first.kill();
      const second = await cluster.leader();
      assert.notEqual(second, first);
      await second.sql("INSERT INTO t VALUES (1)");
      await first.restart();
      await cluster.settled();
      assert.equal((await cluster.followers()).length, 2);
    } finally {
      await cluster.stop();
    }
  });

  it("leader() finds the new leader while the old one is paused", async () => {
    const cluster = await startCluster(3);
    try {
      const first = await cluster.leader();
      await first.pause();
      const second = await cluster.leader();
      assert.notEqual(second, first);
      first.resume();
      assert.equal(await cluster.settled(), await cluster.leader());
    } finally {
      await cluster.stop();
    }
  });
});
