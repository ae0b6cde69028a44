import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { startCluster } from "../support/cluster.ts";
import { skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";
import { assertTold, runExample } from "./run_example.ts";

describe("examples/failover.ts", () => {
  it("writes in memory", async () => {
    assertTold(await runExample("failover.ts", "--seconds=0.2"), [
      "rows were written",
      "Each of them is there, once",
    ]);
  });
});

describe("docs/clusters.md", { skip: skipWithoutRqlited() }, () => {
  it("holds: the leader is killed, writers go on, a backup goes elsewhere, all nodes are equal", async () => {
    await using cluster = await startCluster();
    await using elsewhere = await startRqlited();
    const first = await cluster.leader();
    const running = runExample("failover.ts", ...cluster.urls, "--seconds=4");
    // Some rows are there by then.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await first.kill();
    const ran = await running;
    assertTold(ran, ["rows were written", "Each of them is there, once"]);
    const next = await cluster.leader();
    assert.notEqual(next, first);
    assert.match(ran.stdout, new RegExp(`led by ${first.url}, then .*${next.url}`));
    await first.restart();
    await cluster.settled();
    assertTold(await runExample("backup.ts", `--from=${next.url}`, `--to=${elsewhere.url}`), [
      "✓ demo_visits: ",
      "✓ demo_songs: ",
    ]);
    assertTold(await runExample("doctor.ts", first.url), ["3 nodes: ", "✓ equal"]);
    assertTold(await runExample("doctor.ts", elsewhere.url), ["1 node", "✓ equal"]);
  });
});
