import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { sleep } from "./http.ts";
import { test } from "./test.ts";

test("test() registers a test that leaves nothing behind", () => sleep(1));

/** Runs a file with that one test. */
function run(body: string): { readonly status: number | null; readonly stdout: string } {
  const dir = mkdtempSync(join(tmpdir(), "rqlite-test-"));
  try {
    const file = join(dir, "one_test.ts");
    const support = JSON.stringify(new URL("./test.ts", import.meta.url).href);
    writeFileSync(file, `import { test } from ${support};\ntest("one", () => {${body}});\n`);
    const args = ["test", "--no-config", "--no-check", "--no-lock", "--allow-read", file];
    return spawnSync(process.execPath, args, { encoding: "utf8", env: { NO_COLOR: "1" } });
  } finally {
    rmSync(dir, { recursive: true });
  }
}

if (typeof Deno !== "undefined") {
  test("test() fails a test that leaves a timer behind", () => {
    assert.equal(run("").status, 0);
    const { status, stdout } = run("setTimeout(() => {}, 60_000);");
    assert.notEqual(status, 0);
    assert.match(stdout, /Leaks detected/);
  });
}
