// The short form of tests/soak/transport.ts.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { childEngines } from "../support/engines.ts";
import { skipWithoutRqlited } from "../support/rqlited.ts";
import { storm } from "./storm.ts";

const SIZE = { calls: 300, seed: 20261130 };

describe("300 calls while everything breaks", { skip: skipWithoutRqlited() }, () => {
  it("end as promised and leave nothing behind, on every engine", async () => {
    const storms = childEngines().flatMap((engine) => [
      { engine, transport: "fetch" } as const,
      ...(engine.name === "node" ? [{ engine, transport: "nodeFetch" } as const] : []),
    ]);
    const wrong = await Promise.all(storms.map(async ({ engine, transport }) => {
      const { endings, wrong } = await storm(engine, { ...SIZE, transport });
      // One that meets nothing shows nothing.
      for (const ending of ["ok", "reason", "OutcomeUnknownError"]) assert.ok(endings[ending]);
      return wrong.map((what) => `${transport} on ${engine.name}: ${what}`);
    }));
    assert.deepEqual(wrong.flat(), []);
  });
});
