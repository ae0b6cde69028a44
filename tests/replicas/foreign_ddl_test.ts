// What another program has just done to the schema, a client cannot know; its next write must not suffer from that.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { connect, NotSupportedError } from "../../mod.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { equalReplicas, rowsOfEach } from "../support/replicas.ts";
import { skipWithoutRqlited } from "../support/rqlited.ts";
import { type Door, DOORS } from "./doors.ts";
import { storeRaw } from "./raw.ts";

const COLUMNS = "id INTEGER PRIMARY KEY, body TEXT";
const TOKEN = "token TEXT DEFAULT (hex(randomblob(8)))";
const INSERT = "INSERT INTO t(body) VALUES(?)";

describe("the first write after another program's DDL", { skip: skipWithoutRqlited() }, () => {
  let cluster: Cluster;
  const doors = new Map<string, Door>();

  before(async () => {
    cluster = await startCluster(3);
    for (const [name, open] of Object.entries(DOORS)) doors.set(name, open(cluster.urls));
    await storeRaw(cluster, ["CREATE TABLE known(n)"]);
  });

  after(async () => {
    await Promise.all([...doors.values()].map((door) => door.close()));
    await cluster?.stop();
  });

  /** Lets the door learn what schema there is, changes that, and writes once. */
  async function writeAfter(door: string, old: string, ddl: readonly string[]): Promise<void> {
    await storeRaw(cluster, ["DROP TABLE IF EXISTS t", `CREATE TABLE t(${old})`]);
    const { run } = doors.get(door)!;
    await run(async (ops) => {
      await ops.run("INSERT INTO known VALUES(?)", 1);
      await ops.run(INSERT, "before");
    });
    await storeRaw(cluster, ddl);
    await run(async (ops) => void await ops.run(INSERT, "after"));
    const counts = await rowsOfEach(cluster, "SELECT count(*) FROM t WHERE body = 'after'");
    assert.deepEqual(counts, cluster.nodes.map(() => [[1]]));
    await equalReplicas(cluster);
  }

  for (const name of Object.keys(DOORS)) {
    it(`${name} freezes the default of a table that was made anew`, () =>
      writeAfter(name, COLUMNS, ["DROP TABLE t", `CREATE TABLE t(${COLUMNS}, ${TOKEN})`]));

    it(`${name} writes into a table that lost such a default`, () =>
      writeAfter(name, `${COLUMNS}, ${TOKEN}`, ["ALTER TABLE t DROP COLUMN token"]));
  }

  it("client.execute() freezes the default of a table that was not there before", async () => {
    const client = connect(cluster.urls);
    try {
      await client.execute("INSERT INTO known VALUES(2)");
      await storeRaw(cluster, [`CREATE TABLE fresh(${COLUMNS}, ${TOKEN})`]);
      await client.execute("INSERT INTO fresh(body) VALUES('a')");
      await equalReplicas(cluster);
    } finally {
      await client.close();
    }
  });
});

describe("a default in the node's own time zone", { skip: skipWithoutRqlited() }, () => {
  it("is refused where an INSERT leaves it out, as each node has another", async () => {
    const cluster = await startCluster(3, {
      each: (index) => ({ env: { TZ: ["UTC", "Asia/Tokyo", "America/New_York"][index]! } }),
    });
    const client = connect(cluster.urls);
    try {
      const create = `CREATE TABLE t(${COLUMNS}, at TEXT DEFAULT (datetime('now', 'localtime')))`;
      await storeRaw(cluster, [create]);
      await assert.rejects(client.execute(INSERT, ["a"]), NotSupportedError);
      await assert.rejects(
        client.transaction((tx) => tx.execute(INSERT, ["b"])),
        NotSupportedError,
      );
      await client.execute("INSERT INTO t(body, at) VALUES('c', datetime('now'))");
      assert.deepEqual(await rowsOfEach(cluster, "SELECT body FROM t"), [[["c"]], [["c"]], [[
        "c",
      ]]]);
      await equalReplicas(cluster);
    } finally {
      await client.close();
      await cluster.stop();
    }
  });
});
