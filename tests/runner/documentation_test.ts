import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { it } from "node:test";
import { brokenLinks, ownFindings } from "./documentation.ts";
import { filesUnder, ROOT } from "./paths.ts";

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

it("brokenLinks() finds files and anchors that are not there, and nothing in code", () => {
  const texts = new Map([
    [
      "README.md",
      "# A\n\n[a](#a) [b](docs/b.md#the-b-of-c) [gone](#b) [gone](docs/c.md) [x](https://x)",
    ],
    [
      "docs/b.md",
      "# The `b` of C\n\n## Twice\n\n## Twice\n\n[2](#twice-1) [up](../mod.ts) [gone](../a.ts)",
    ],
    [
      "c.md",
      '<a name="d"></a>[d](#d)\n\n```md\n# E\n[e](#nowhere)\n```\n\n`[e](f)` [e](#e) [b](docs/b.md#b)',
    ],
  ]);
  assert.deepEqual(brokenLinks(texts, (path) => path === "mod.ts"), [
    "README.md: #b",
    "README.md: docs/c.md",
    "docs/b.md: ../a.ts",
    "c.md: #e",
    "c.md: docs/b.md#b",
  ]);
});

it("every relative link of the documentation leads somewhere", () => {
  const files = [
    ...["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"],
    ...filesUnder("docs", ".md"),
    ...filesUnder("packages", ".md"),
  ];
  const texts = new Map(files.map((file) => [file, readFileSync(ROOT + file, "utf8")]));
  assert.deepEqual(brokenLinks(texts, (path) => existsSync(ROOT + path)), []);
});
