// A lock in rqlite, of one node and of three: 200 tasks of processes of every engine wait for it; the leader dies.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { connect, LockTimeoutError } from "../../mod.ts";
import { RqliteLock } from "../../src/locks/rqlite.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";
import { checkTurns, runRoom } from "./room.ts";

const LEASE = 30_000;

async function inRoom(urls: readonly string[]): Promise<void> {
  const lock = { kind: "rqlite", leaseDuration: LEASE } as const;
  const room = { lock, urls, processes: 4, tasks: 50 };
  checkTurns(await runRoom(room), room);
}

/** What the leader knew, the others know. */
async function survivesTheLeader(cluster: Cluster): Promise<void> {
  const [mine, theirs] = [connect(cluster.urls), connect(cluster.urls)];
  const lockOf = (client: typeof mine) =>
    new RqliteLock({ name: "a", client, leaseDuration: LEASE });
  try {
    const handle = await lockOf(mine).acquire();
    await (await cluster.leader()).kill();
    await cluster.leader();
    const held = assert.rejects(lockOf(theirs).acquire({ timeout: 2_000 }), LockTimeoutError);
    await held;
    assert.equal(handle.held, true);
    assert.equal(await handle.release(), true);
    assert.equal(await (await lockOf(theirs).acquire()).release(), true);
  } finally {
    await mine.close();
    await theirs.close();
  }
}

describe("RqliteLock", { skip: skipWithoutRqlited() }, () => {
  it("that 200 wait for is held by one at a time, in each process as they came, on one node and on three", async () => {
    const [node, cluster] = await Promise.all([startRqlited(), startCluster(3)]);
    try {
      await Promise.all([inRoom([node.url]), inRoom(cluster.urls)]);
      await survivesTheLeader(cluster);
    } finally {
      await Promise.all([node.stop(), cluster.stop()]);
    }
  });
});
