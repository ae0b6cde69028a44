/**
 * Measures how soon a client writes again when the leader has died: it kills the leader of three nodes, looks at the others
 * every 10 ms until one of them leads, and tells how much later a write of a client with default options succeeded.
 *
 *     deno task bench:election            six rounds, with the server's own timeouts
 *     deno task bench:election -- 20 400  twenty rounds, with timeouts of Raft of 400 ms
 *
 * RQLITED_BIN names another rqlited.
 */

import process from "node:process";
import { connect } from "../mod.ts";
import { type Cluster, startCluster } from "../tests/support/cluster.ts";
import { sleep } from "../tests/support/http.ts";
import type { Rqlited } from "../tests/support/rqlited.ts";

/** How often the others are asked whether they lead, in milliseconds. */
const STEP = 10;

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

interface Round {
  /** Milliseconds from the death of the leader until another node says that it leads. */
  readonly elected: number;
  /** Milliseconds from then until a write of the client has succeeded. */
  readonly written: number;
  /** What the client sent meanwhile. */
  readonly requests: number;
}

async function leads(node: Rqlited): Promise<boolean> {
  const asked = node.ask("/status?key=store.raft.state", { limit: 1000 });
  return await asked.then(({ text }) => text.includes("Leader"), () => false);
}

async function election(others: readonly Rqlited[]): Promise<number> {
  while (!(await Promise.all(others.map(leads))).includes(true)) await sleep(STEP);
  return performance.now();
}

async function round(cluster: Cluster): Promise<Round> {
  const dead = await cluster.settled();
  let requests = 0;
  const db = connect(cluster.urls, { onRequest: () => void requests++ });
  try {
    await db.execute("CREATE TABLE IF NOT EXISTS t(n)");
    await db.execute("INSERT INTO t VALUES(1)");
    await dead.kill();
    const died = performance.now();
    requests = 0;
    const elected = election(cluster.nodes.filter((node) => node !== dead));
    await db.execute("INSERT INTO t VALUES(1)");
    const written = performance.now();
    return { elected: await elected - died, written: written - await elected, requests };
  } finally {
    await db.close();
    await dead.restart();
  }
}

const [rounds = 6, raftTimeout = 1000] = Deno.args.map(Number).filter((n) => n > 0);
const cluster = await startCluster(3, { raftTimeout });
const written: number[] = [];
try {
  for (let i = 1; i <= rounds; i++) {
    const { elected, requests, ...then } = await round(cluster);
    written.push(then.written);
    const [after, later] = [elected, then.written].map(Math.round);
    print(`${i}: a leader after ${after} ms, a write ${later} ms later, ${requests} requests`);
  }
} finally {
  await cluster.stop();
}
written.sort((a, b) => a - b);
const at = (share: number) => Math.round(written[Math.floor((written.length - 1) * share)]!);
print(`a write after the election: median ${at(0.5)} ms, at most ${at(1)} ms`);
