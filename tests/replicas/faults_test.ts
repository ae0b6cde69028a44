// The same ordinary transactions while a node dies and comes back: what was acknowledged is on every node.
import { describe, it } from "node:test";
import { connect } from "../../mod.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { equalReplicas } from "../support/replicas.ts";
import { type Rqlited, skipWithoutRqlited } from "../support/rqlited.ts";
import { BOOK_TABLES, Books } from "./books.ts";
import { storeRaw } from "./raw.ts";

const TASKS = 3;

/** A node that comes back starts from what it has snapshotted. */
const SNAPSHOTS = ["-raft-snap", "64", "-raft-snap-int", "200ms"];

/** Lets transactions run while a node is gone, and after it came back; checks every node. */
async function during(
  choose: (cluster: Cluster) => Promise<Rqlited>,
  args: readonly string[] = [],
): Promise<void> {
  const cluster = await startCluster(3, { args });
  const client = connect(cluster.urls, { timeout: 5000 });
  const books = new Books();
  try {
    await storeRaw(cluster, BOOK_TABLES);
    books.start(client, TASKS);
    await books.progress(50);
    const node = await choose(cluster);
    await node.kill();
    await books.progress(50);
    await node.restart();
    await books.progress(50);
    await books.stop();
    await books.check(cluster);
    await equalReplicas(cluster);
  } finally {
    await books.stop();
    await client.close();
    await cluster.stop();
  }
}

const aFollower = async (cluster: Cluster): Promise<Rqlited> => (await cluster.followers())[0]!;
const theLeader = (cluster: Cluster): Promise<Rqlited> => cluster.leader();

describe("transactions with notes that tell the time", { skip: skipWithoutRqlited() }, () => {
  it("leave equal replicas though a follower is killed and starts again", () => during(aFollower));

  it("leave equal replicas though the leader is killed and starts again", () => during(theLeader));

  it("leave equal replicas though a follower starts again while snapshots are taken", () =>
    during(aFollower, SNAPSHOTS));
});
