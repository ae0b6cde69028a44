import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { affinity } from "../../src/wire/affinity.ts";

const CASES: [string, string][] = [
  ["int", "integer"],
  ["integer", "integer"],
  ["unsigned big int", "integer"],
  // SQLite's own trap: "point" holds "int".
  ["floating point", "integer"],
  ["character(20)", "text"],
  ["varchar(255)", "text"],
  ["clob", "text"],
  ["text", "text"],
  ["blob", "blob"],
  ["", "blob"],
  ["real", "real"],
  ["double", "real"],
  ["double precision", "real"],
  ["float", "real"],
  ["numeric", "numeric"],
  ["decimal(10,5)", "numeric"],
  ["boolean", "numeric"],
  ["datetime", "numeric"],
  ["any", "numeric"],
];

describe("affinity()", () => {
  for (const [declared, expected] of CASES) {
    it(`of ${JSON.stringify(declared)} is ${expected}`, () => {
      assert.equal(affinity(declared), expected);
    });
  }
});
