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

it("ownFindings() tells a type from another of the same name by the line that declares it", () => {
  const finding = (line: string): string =>
    [
      "error[private-type-ref]: public type 'a' references private type 'Same'",
      "  --> /src/a.ts:1:1",
      "   | ",
      " 1 | export function a(): void",
      "   | ^",
      "   = hint: make the referenced type public or remove the reference",
      "   | ",
      `33 | ${line}`,
      "   | ---- this is the referenced type",
      "   | ",
    ].join("\n");
  const ours = "export interface Same {";
  const theirs = "export declare class Same<T> {";
  const output = [finding(theirs), finding(ours), "error: Found 2 documentation lint errors."];
  assert.equal(ownFindings(output.join("\n\n"), [`${ours}\n}`]).length, 1);
  assert.deepEqual(ownFindings(finding(theirs), [`${ours}\n}`]), []);
});
