// Ordinary programs over schemas that people have, through every way in, on three nodes in three time zones that vacuum
// by themselves. Nobody else writes, so nothing may be refused; and the replicas stay equal.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Client, connect } from "../../mod.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { equalReplicas, rowsOfEach } from "../support/replicas.ts";
import { skipWithoutRqlited } from "../support/rqlited.ts";
import { DOORS } from "./doors.ts";
import { Keeper } from "./keeper.ts";
import { LOCAL, STRANGERS } from "./zoo_local.ts";
import { SHARED } from "./zoo_shared.ts";

const ZOO = [...LOCAL, STRANGERS, ...SHARED];

const ZONES = ["UTC", "Asia/Tokyo", "America/New_York"];

const ROUNDS = 2;

/** Writes that have nothing to do with a schema, and must not suffer from it. */
const AFTERWARDS = 20;

describe("three nodes that vacuum, in three time zones", { skip: skipWithoutRqlited() }, () => {
  let cluster: Cluster;
  let client: Client;
  let keeper: Keeper;

  before(async () => {
    cluster = await startCluster(3, {
      args: ["-fk", "-auto-vacuum-int", "300ms"],
      each: (index) => ({ env: { TZ: ZONES[index]! } }),
    });
    client = connect(cluster.urls);
    keeper = new Keeper(cluster);
  });

  after(async () => {
    await keeper?.close();
    await client?.close();
    await cluster?.stop();
  });

  for (const animal of ZOO) {
    describe(animal.name, () => {
      before(() => keeper.build(animal));

      for (const door of Object.keys(DOORS)) {
        it(`${door} runs every program`, () => keeper.visit(animal, door, ROUNDS));
      }

      it("client.batch() writes and reads", async () => {
        const rows = `SELECT count(*) AS n FROM (SELECT * FROM ${animal.tables[0]})`;
        await client.batch(["INSERT INTO done VALUES('batch')", rows, "DELETE FROM plain"]);
        keeper.enter("batch");
      });

      it("client.execute() afterwards reaches every node", async () => {
        for (let n = 0; n < AFTERWARDS; n++) {
          await client.execute("INSERT INTO plain(n) VALUES(?)", [n]);
        }
        const counts = await rowsOfEach(cluster, "SELECT count(*) FROM plain");
        assert.deepEqual(counts, cluster.nodes.map(() => [[AFTERWARDS]]));
      });

      it("what was acknowledged is on every node, and nothing else", () => keeper.check());

      it("equalReplicas() finds no difference", () => keeper.equal(animal));
    });
  }

  it("the strangers' rows differ from node to node, so that the rest means something", async () => {
    const rows = await rowsOfEach(cluster, "SELECT at, token, chance FROM strangers WHERE id <= 3");
    assert.equal(new Set(rows.map((those) => JSON.stringify(those))).size, 3);
  });

  it("equalReplicas() finds no difference in all of them, nor in the package's own tables", async () => {
    const except = Object.assign({}, ...ZOO.map((animal) => animal.except ?? {}));
    await equalReplicas(cluster, { except });
  });
});
