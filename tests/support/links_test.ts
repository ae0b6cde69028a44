import assert from "node:assert/strict";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { type Cluster, startCluster } from "./cluster.ts";
import { Links } from "./links.ts";
import { skipWithoutRqlited } from "./rqlited.ts";

describe("Links", { skip: skipWithoutRqlited() || noProc() }, () => {
  let links: Links;
  let cluster: Cluster;

  before(async () => {
    links = new Links(() =>
      cluster?.nodes.map((node) => node.running ? node.pid : undefined) ?? []
    );
    await links.open(3);
    cluster = await startCluster(3, {
      each: (index, { raft }) => ({ args: ["-raft-adv-addr", links.address(index, raft)] }),
    });
  });

  after(async () => {
    await cluster?.stop();
    await links.close();
  });

  /** Cuts links of the leader until another node leads; then it must be able to lead again. */
  async function depose(direction: "from" | "to" | "both"): Promise<void> {
    const leader = await cluster.leader();
    const me = cluster.nodes.indexOf(leader);
    for (const other of [0, 1, 2].filter((index) => index !== me)) {
      if (direction !== "to") links.link(me, other).cut();
      if (direction !== "from") links.link(other, me).cut();
    }
    const others = cluster.nodes.filter((node) => node !== leader);
    let next = leader;
    while (!others.includes(next)) next = await cluster.leader();
    await next.sql("INSERT INTO t VALUES(1)");
    for (const link of links.all()) link.mend();
    assert.ok(await cluster.settled());
  }

  it("let nodes that they join agree, and lead them to another leader where they cut it off", async () => {
    await (await cluster.leader()).sql("CREATE TABLE t(n)");
    await depose("both");
    await depose("from");
  });

  it("pass late what they delay", async () => {
    for (const link of links.all()) link.delay = 20;
    await (await cluster.leader()).sql("INSERT INTO t VALUES(1)");
    for (const link of links.all()) link.mend();
  });
});

function noProc(): string | false {
  return process.platform !== "linux" && "only Linux tells whose a connection is";
}
