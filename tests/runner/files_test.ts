import assert from "node:assert/strict";
import { existsSync, readdirSync, statSync } from "node:fs";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { enginesOf, EVERYWHERE, filesOn, PLACEMENTS } from "./files.ts";

const TESTS = fileURLToPath(new URL("../", import.meta.url));

/** Folders with dependencies or fixtures of their own, which no engine looks into. */
const CLOSED = ["node_modules", "fixtures", "runtimes", "auth", "auth_v1"];

/** The test files below a folder of `tests/`, relative to it. */
function testFiles(folder = ""): string[] {
  return readdirSync(TESTS + folder, { withFileTypes: true }).flatMap((entry) => {
    const path = folder + entry.name;
    if (entry.isDirectory()) return CLOSED.includes(entry.name) ? [] : testFiles(`${path}/`);
    return path.endsWith("_test.ts") ? [path] : [];
  });
}

const FILES = testFiles();
const NAMES = PLACEMENTS.flatMap(({ files }) => files);

describe("PLACEMENTS", () => {
  it("names files and folders that have tests, each once", () => {
    const empty = NAMES.filter((name) =>
      name.endsWith("/")
        ? !existsSync(TESTS + name) || !statSync(TESTS + name).isDirectory() ||
          !FILES.some((file) => file.slice(0, file.lastIndexOf("/") + 1) === name)
        : !FILES.includes(name)
    );
    assert.deepEqual(empty, []);
    assert.deepEqual(NAMES.filter((name, i) => NAMES.indexOf(name) !== i), []);
  });

  it("gives every line engines, each once, and a reason", () => {
    for (const { files, engines, why } of PLACEMENTS) {
      assert.ok(engines.length > 0 && why !== "", files.join());
      assert.equal(new Set(engines).size, engines.length, files.join());
    }
  });

  it("has no line of a file that says what its folder says", () => {
    const idle = PLACEMENTS.flatMap(({ files, engines }) =>
      files.filter((name) => {
        const folder = name.slice(0, name.lastIndexOf("/") + 1);
        const line = PLACEMENTS.find((other) => other.files.includes(folder));
        return !name.endsWith("/") && line?.engines.join() === engines.join();
      })
    );
    assert.deepEqual(idle, []);
  });
});

describe("enginesOf()", () => {
  it("lets a file that it does not know run everywhere", () => {
    assert.deepEqual(enginesOf("tests/somewhere/new_test.ts"), EVERYWHERE);
    assert.deepEqual(enginesOf("tests/new_test.ts"), EVERYWHERE);
  });

  it("takes the line of a file before that of its folder", () => {
    assert.deepEqual(enginesOf("tests/sql/new_test.ts"), ["deno"]);
    assert.deepEqual(enginesOf("tests/wire/json_test.ts"), EVERYWHERE);
    assert.notDeepEqual(enginesOf("tests/wire/new_test.ts"), EVERYWHERE);
  });
});

describe("filesOn()", () => {
  it("runs every test file somewhere", () => {
    const files = FILES.map((file) => `tests/${file}`);
    const run = new Set(EVERYWHERE.flatMap((engine) => filesOn(engine, files)));
    assert.deepEqual(files.filter((file) => !run.has(file)), []);
  });

  it("gives no engine more than it can run", () => {
    for (const engine of EVERYWHERE) assert.ok(filesOn(engine, FILES).length > 0, engine);
  });
});
