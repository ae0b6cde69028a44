// Wherever the connection of a write is cut, it is applied once.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { connect } from "../../mod.ts";
import { type Fault, startProxy } from "../support/proxy.ts";
import { skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";
import { applied, COUNTS, SCHEMA, WRITES } from "./counted_writes.ts";

/** The server did it, or not; the connection tells neither. */
const FAULTS: readonly Fault[] = [
  "cut before",
  "cut after request",
  "cut after headers",
  "cut in body",
  "pass and close",
];

describe("writes through a proxy that cuts connections", { skip: skipWithoutRqlited() }, () => {
  for (const [name, write] of Object.entries(WRITES)) {
    it(`${name} is applied once, wherever the connection is cut`, async () => {
      const server = await startRqlited();
      const proxy = await startProxy(server.url);
      try {
        for (const fault of FAULTS) {
          for (let hit = 0, met = true; met; hit++) {
            await server.sql(...SCHEMA);
            const db = connect(proxy.url, { timeout: 10_000 });
            met = false;
            proxy.reset();
            proxy.plan = (_, index) => {
              if (index === hit) met = true;
              return index === hit ? fault : "pass";
            };
            await applied(write, db, "first");
            await applied(write, db, "second");
            await db.close();
            const [result] = await server.sql(COUNTS) as { values: unknown[][] }[];
            const expected = [[2 * write.hits, 2 * write.raised]];
            assert.deepEqual(result!.values, expected, `request ${hit}: ${String(fault)}`);
          }
        }
      } finally {
        await proxy.close();
        await server.stop();
      }
    });
  }
});
