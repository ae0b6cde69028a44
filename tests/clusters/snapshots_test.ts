// A snapshot that fails behind a change of members: servers before 8.30.5 lose what was written in front of it.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { startCluster } from "../support/cluster.ts";
import type { Rqlited } from "../support/rqlited.ts";
import { rqlitedBinary, skipWithoutRqlited } from "../support/rqlited_binary.ts";
import { takeSnapshot, withSnapshots } from "./snapshots.ts";

describe("takeSnapshot()", { skip: skipWithoutRqlited() }, () => {
  it("makes one of everything, also behind one that failed", async () => {
    const binary = withSnapshots(rqlitedBinary());
    const cluster = await startCluster(2, { each: () => ({ binary }) });
    try {
      const leader = await cluster.leader();
      await leader.sql("CREATE TABLE t(x TEXT)");
      assert.equal(await takeSnapshot(leader), true);
      await leader.sql(
        "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < 300) INSERT INTO t SELECT hex(zeroblob(200)) FROM n",
      );
      const [follower] = await cluster.followers();
      const body = JSON.stringify({ id: follower!.options.id });
      await leader.ask("/remove", { method: "DELETE", body });
      assert.equal(await takeSnapshot(leader), false);
      await leader.sql("INSERT INTO t VALUES('last')");
      assert.equal(await takeSnapshot(leader), true);
      await follower!.kill();
      await leader.restart();
      assert.equal(await rows(leader), 301);
    } finally {
      await cluster.stop();
    }
  });
});

async function rows(node: Rqlited): Promise<unknown> {
  const [result] = await node.sql("SELECT count(*) FROM t") as { values: unknown[][] }[];
  return result?.values[0]?.[0];
}
