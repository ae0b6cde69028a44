// The short form of tests/soak/cluster.ts: each fault three times, and nothing is lost, doubled or contradicted.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { skipWithoutRqlited } from "../support/rqlited.ts";
import { faultOrder, LANES } from "./faults.ts";
import { soak, type SoakReport } from "./soak.ts";
import { WORKLOADS } from "./workloads.ts";

/** What the shop is visited by. */
const WAYS = ["client", "Kysely", "Drizzle", "Hono"];

const SIZE = { seed: 18, rounds: 3, hold: 600, calm: 50, workers: 2, tasks: 2, rest: 60 };

describe("faultOrder()", () => {
  it("depends on the seed alone, and has every fault in every round", () => {
    const order = faultOrder(1, "nodes", 2);
    assert.deepEqual(order, faultOrder(1, "nodes", 2));
    assert.notDeepEqual(order, faultOrder(2, "nodes", 2));
    const names = Object.keys(LANES.nodes).sort();
    assert.deepEqual(order.slice(0, names.length).sort(), names);
    assert.equal(order.length, 2 * names.length);
  });
});

describe("three nodes that are broken all the time", { skip: skipWithoutRqlited() }, () => {
  let report: SoakReport;

  before(async () => {
    report = await soak({ ...SIZE, kind: "ours" });
  });

  it("met every fault three times", () => {
    for (const name of Object.values(LANES).flatMap(Object.keys)) {
      assert.ok((report.faults[name] ?? 0) >= SIZE.rounds, name);
    }
  });

  it("did what clients were told, on every node", () => {
    for (const { property, workload, operations, violations } of report.findings) {
      assert.deepEqual(violations, [], `${property} (${workload}, ${operations} operations)`);
    }
  });

  it("worked meanwhile", () => {
    const worked = new Set(
      report.findings.flatMap(({ workload, done }) => done > 0 ? workload : []),
    );
    for (const name of [...Object.keys(WORKLOADS), ...WAYS.map((way) => `shop by ${way}`)]) {
      assert.ok(worked.has(name), name);
    }
  });
});
