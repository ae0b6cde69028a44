import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Package } from "./packages.ts";
import { publishingProblems, rewritten } from "./publishing.ts";

const ROOT: Package = { name: "@a/client", version: "1.2.0", folder: ".", exports: {} };
const DRIVER: Package = {
  ...ROOT,
  name: "@a/driver",
  folder: "packages/driver",
  imports: { orm: "npm:orm@^2" },
};
const RIGHT = [
  "@a/client/x -> jsr:@a/client@^1.2.0/x",
  "orm -> npm:orm@^2",
  "orm/y -> npm:/orm@^2/y",
];

it("rewritten() finds every import that JSR would rewrite, once", () => {
  const line = "DEBUG RS - deno::tools: Unfurled specifier: orm from file:///a/mod.ts -> npm:orm@2";
  assert.deepEqual(rewritten(`${line}\nDEBUG RS - Unfurling file:///a/mod.ts\n${line}\n`), [
    "orm -> npm:orm@2",
  ]);
});

describe("publishingProblems()", () => {
  it("finds nothing where all imports are those of the manifest", () => {
    assert.deepEqual(publishingProblems(RIGHT, DRIVER, ROOT), []);
    assert.deepEqual(publishingProblems([], ROOT, ROOT), []);
  });

  it("finds an import of another version, and of a package that the manifest does not name", () => {
    const lines = [
      "orm -> npm:orm@^3",
      "@a/client -> jsr:@a/client@^1.1.0",
      "other -> npm:other@1",
    ];
    assert.deepEqual(publishingProblems(lines, DRIVER, ROOT), [
      "@a/driver: JSR would write npm:orm@^3 for orm",
      "@a/driver: JSR would write jsr:@a/client@^1.1.0 for @a/client",
      "@a/driver: JSR would write npm:other@1 for other",
    ]);
  });

  it("finds a driver of another version, and one that does not use the client", () => {
    assert.deepEqual(publishingProblems(RIGHT.slice(1), { ...DRIVER, version: "1.1.0" }, ROOT), [
      "@a/driver is of version 1.1.0",
      "@a/driver imports nothing of @a/client",
    ]);
  });
});
