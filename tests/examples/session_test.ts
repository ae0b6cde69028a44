import { describe, it } from "node:test";
import { startCluster } from "../support/cluster.ts";
import { skipWithoutRqlited } from "../support/rqlited.ts";
import { assertTold, runExample } from "./run_example.ts";

const STORY = [
  "orders were not found",
  "Sessions",
  "0 of 200 orders were not found",
  "requests for",
];

describe("examples/session.ts", () => {
  it("tells its story in memory", async () => {
    assertTold(await runExample("session.ts"), STORY);
  });

  it("tells it on a cluster", { skip: skipWithoutRqlited() }, async () => {
    const cluster = await startCluster();
    try {
      assertTold(await runExample("session.ts", ...cluster.urls), STORY);
    } finally {
      await cluster.stop();
    }
  });
});
