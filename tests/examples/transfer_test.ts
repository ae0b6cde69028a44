import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { runExample } from "./run_example.ts";

describe("examples/transfer.ts", () => {
  it("keeps the total with transactions", async () => {
    const { code, stdout, stderr } = await runExample("transfer.ts");
    assert.equal(code, 0, stderr);
    const totals = [...stdout.matchAll(/500 became (-?\d+)/g)].map(([, total]) => total);
    assert.equal(totals.length, 2);
    assert.equal(totals[1], "500");
  });
});
