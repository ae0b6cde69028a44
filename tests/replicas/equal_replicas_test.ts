// What the other tests of this folder rely on: that a difference is found, and told.
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { equalReplicas } from "../support/replicas.ts";
import { skipWithoutRqlited } from "../support/rqlited.ts";
import { storeRaw } from "./raw.ts";

describe("equalReplicas()", { skip: skipWithoutRqlited() }, () => {
  let cluster: Cluster;

  before(async () => {
    cluster = await startCluster(3);
  });

  after(async () => await cluster?.stop());

  beforeEach(async () => {
    await storeRaw(cluster, [
      "DROP TABLE IF EXISTS t",
      "CREATE TABLE t(id INTEGER PRIMARY KEY, v, token DEFAULT (hex(randomblob(8))))",
    ]);
  });

  it("finds no difference where every value of every type is the same", async () => {
    const values = [
      ...[
        "NULL",
        "9007199254740993",
        "0.1",
        "1.0",
        "-0.0",
        "9e999",
        "1e-310",
        "''",
        "'1'",
        "'é\"'",
      ],
      ...["x''", "x'00ff'", "CAST(x'ff00' AS TEXT)"],
    ];
    await storeRaw(cluster, values.map((value) => `INSERT INTO t(v, token) VALUES(${value}, 0)`));
    await equalReplicas(cluster);
  });

  it("names the nodes, the table and a row of each", async () => {
    await storeRaw(cluster, ["INSERT INTO t(v) VALUES('mine')"]);
    await assert.rejects(equalReplicas(cluster), (error: Error) => {
      assert.match(error.message, /t: 1 rows on node 1, 1 on node 2/);
      assert.match(
        error.message,
        /1 only on node 3, such as \(integer 1, 'mine', '[0-9A-F]{16}'\)/,
      );
      return true;
    });
  });

  it("leaves out columns and tables that it is told of", async () => {
    await storeRaw(cluster, ["INSERT INTO t(v) VALUES('mine')"]);
    await equalReplicas(cluster, { except: { t: ["token"] } });
    await equalReplicas(cluster, { tables: (name) => name !== "t" });
  });

  it("finds a table that only some have, and rows that only some have twice", async () => {
    // What a statement of a constant can do on one node only: look at that node's own rows.
    await storeRaw(cluster, ["INSERT INTO t(v) VALUES('mine')", "CREATE TABLE copies(v)"]);
    const here = "(SELECT token FROM t) = (SELECT value FROM json_each(?) LIMIT 1)";
    const leader = await cluster.leader();
    const { text } = await leader.ask("/db/query?level=none&q=SELECT%20token%20FROM%20t");
    const [[token]] = JSON.parse(text).results[0].values as [[string]];
    const insert = `INSERT INTO copies SELECT 1 WHERE ${here} UNION ALL SELECT 1`;
    await leader.sql([insert, JSON.stringify([token])]);
    await assert.rejects(equalReplicas(cluster, { except: { t: ["token"] } }), (error: Error) => {
      assert.match(error.message, /copies: /);
      assert.match(error.message, /1 only on node \d, such as \(integer 1\)/);
      return true;
    });
  });
});
