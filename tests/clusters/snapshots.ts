// Snapshots of nodes that go on all the time, without what old servers lose by them.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Cluster } from "../support/cluster.ts";
import { sleep } from "../support/http.ts";
import type { Rqlited } from "../support/rqlited.ts";
import type { RqlitedBinary } from "../support/rqlited_binary.ts";

/** A node that starts anew or lags gets what others have snapshotted. */
const OFTEN = ["-raft-snap", "256", "-raft-snap-int", "500ms"];

/** Of its own accord; as many entries of the log stay behind one. */
const NEVER = ["-raft-snap", "256", "-raft-snap-int", "24h"];

/** Milliseconds between two that are asked for. */
const BETWEEN = 1_500;

/**
 * Servers before 8.30.5 go on behind a snapshot that failed as if it were there. It fails where members have changed and
 * nothing was written since, or where another one is on its way to a node. What was written in front of it is in none of
 * the next ones then, and gone where the node starts again, or gets such a one from another. A binary tells no more of
 * its version than the first number.
 */
export function isLossy({ major }: RqlitedBinary): boolean {
  return major < 9;
}

/** The same server with many snapshots; those of a lossy one {@linkcode takeSnapshots} asks for. */
export function withSnapshots(binary: RqlitedBinary): RqlitedBinary {
  return { ...binary, args: isLossy(binary) ? NEVER : OFTEN };
}

/** Asks all nodes with a lossy server for snapshots until that is over. */
export async function takeSnapshots({ nodes }: Cluster, over: () => boolean): Promise<void> {
  for (; !over(); await sleep(BETWEEN)) {
    const lossy = nodes.filter(({ running, binary }) => running && isLossy(binary));
    // A node that is broken at the moment takes none.
    await Promise.all(lossy.map((node) => takeSnapshot(node).catch(() => {})));
  }
}

/** A snapshot of everything, whatever became of those before. Answers whether there is one. */
export async function takeSnapshot(node: Rqlited): Promise<boolean> {
  // The server's own mark, which stays until one was finished.
  const mark = join(node.directory, "data", "rsnapshots", "FULL_NEEDED");
  if (isLossy(node.binary)) writeFileSync(mark, "");
  return (await node.ask("/snapshot", { method: "POST" })).status === 200;
}
