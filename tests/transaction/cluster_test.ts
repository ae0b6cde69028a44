// Three nodes, with followers that forward and answers that are lost: exact, and every node has the same database.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Client, connect } from "../../mod.ts";
import { holdsId } from "../support/commits.ts";
import { startCluster } from "../support/cluster.ts";
import { equalReplicas } from "../support/replicas.ts";
import { skipWithoutRqlited } from "../support/rqlited.ts";

const TASKS = 6;
const ROUNDS = 8;

/** A way to a node that never leads to another one, so that a follower has to forward; it loses some answers. */
function unreliable(): typeof fetch {
  let commits = 0;
  const send = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const url = new URL(String(input));
    url.searchParams.delete("redirect");
    const response = await fetch(url, init);
    const commit = holdsId(String(init?.body));
    if (!commit || ++commits % 7 !== 0) return response;
    await response.body?.cancel();
    throw new TypeError("Connection reset");
  };
  return send as typeof fetch;
}

async function work(db: Client, task: number): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    await db.transaction(async (tx) => {
      const { rows: [row] } = await tx.query<{ n: number; r: number }>("SELECT * FROM counter");
      await Promise.all([
        tx.execute("UPDATE counter SET n = ?, r = ?", [row!.n + 1, row!.r * 1.1]),
        tx.execute(
          "INSERT INTO log(task, at, x) VALUES(?, datetime('now'), random()) RETURNING id",
          [
            task,
          ],
        ),
      ]);
    }, { retries: 1000 });
  }
}

describe("transactions on three nodes", { skip: skipWithoutRqlited() }, () => {
  it("are exact through followers and lost answers, and leave equal databases", async () => {
    const cluster = await startCluster(3);
    try {
      const db = connect(cluster.urls);
      await db.batch([
        "CREATE TABLE counter(n INTEGER, r REAL)",
        "INSERT INTO counter VALUES(0, 0.1)",
        "CREATE TABLE log(id INTEGER PRIMARY KEY AUTOINCREMENT, task INTEGER, at TEXT, x INTEGER)",
      ]);
      const tasks = Array.from({ length: TASKS }, (_, task) => {
        const url = cluster.urls[task % cluster.urls.length]!;
        return work(connect(url, { fetch: unreliable() }), task);
      });
      await Promise.all(tasks);
      const { rows } = await db.query(
        "SELECT n, (SELECT count(*) FROM log) AS logged FROM counter",
      );
      assert.deepEqual(rows, [{ n: TASKS * ROUNDS, logged: TASKS * ROUNDS }]);
      await equalReplicas(cluster);
    } finally {
      await cluster.stop();
    }
  });
});
