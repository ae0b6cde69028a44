import assert from "node:assert/strict";
import { it } from "node:test";
import { ownFindings } from "./documentation.ts";

it("ownFindings() leaves out private types that the package does not declare", () => {
  const output = [
    "error[private-type-ref]: public type 'a' references private type 'Theirs'",
    "  --> /src/a.ts:1:1",
    "error[private-type-ref]: public type 'a' references private type 'Ours'",
    "error[missing-jsdoc]: exported symbol is missing JSDoc documentation",
    "error: Found 3 documentation lint errors.",
  ].join("\n");
  const sources = ['import { type Theirs } from "package";', "interface Ours {\n  a: Theirs;\n}"];
  assert.deepEqual(ownFindings(output, sources), [output.split("\n")[2], output.split("\n")[3]]);
});
