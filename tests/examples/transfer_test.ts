import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const TRANSFER = fileURLToPath(new URL("../../examples/transfer.ts", import.meta.url));

describe("examples/transfer.ts", () => {
  it("keeps the total with transactions, and loses or makes money without", async () => {
    const start = "deno" in process.versions ? ["run", "-A"] : [];
    const output = await new Promise<string>((resolve, reject) => {
      execFile(process.execPath, [...start, TRANSFER], (error, stdout) => {
        if (error) reject(error);
        else resolve(stdout);
      });
    });
    const totals = [...output.matchAll(/500 became (-?\d+)/g)].map(([, total]) => total);
    assert.equal(totals.length, 2);
    assert.equal(totals[1], "500");
  });
});
