import type { Cluster } from "../support/cluster.ts";

/** Writes past every client, as another program would: nothing is rewritten, so each node computes for itself. */
export async function storeRaw(cluster: Cluster, statements: readonly string[]): Promise<void> {
  if (statements.length === 0) return;
  const leader = await cluster.leader();
  const body = JSON.stringify(statements);
  const { status, text } = await leader.ask("/db/execute?norwtime&norwrandom", {
    method: "POST",
    body,
  });
  if (status !== 200 || text.includes('"error":')) throw new Error(`${status} ${text}`);
}
