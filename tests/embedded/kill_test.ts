import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { embedded } from "../../src/embedded/mod.ts";
import { post, rows } from "./post.ts";

const CHILD = fileURLToPath(new URL("./child.ts", import.meta.url));

describe("embedded() in a file", () => {
  let folder = "";
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "embedded-"));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("keeps every acknowledged transaction whole when the process is killed", async () => {
    const file = join(folder, "killed.db");
    await create(file, "CREATE TABLE parts(id TEXT, part INTEGER)");
    const acknowledged: string[] = [];
    for (const wanted of [1, 20, 50]) acknowledged.push(...await killAfter(file, wanted));

    const engine = embedded(file);
    const found = await rows(engine, "SELECT id, count(*), sum(part) FROM parts GROUP BY id");
    const check = await rows(engine, "PRAGMA integrity_check");
    engine.close();
    assert.deepEqual(check, [["ok"]]);
    assert.deepEqual(found.filter(([, count, sum]) => count !== 3 || sum !== 6), []);
    const ids = new Set(found.map(([id]) => id));
    assert.deepEqual(acknowledged.filter((id) => !ids.has(id)), []);
    assert.ok(acknowledged.length >= 71);
  });

  it("lets two processes write, one after the other", async () => {
    const file = join(folder, "shared.db");
    await create(file, "CREATE TABLE counter(n INTEGER)", "INSERT INTO counter VALUES(0)");
    const ended = await Promise.all([1, 2].map(() => toEnd(start(file, "count", 100))));
    const engine = embedded(file);
    const found = await rows(engine, "SELECT n FROM counter");
    engine.close();
    assert.deepEqual(ended, [0, 0]);
    assert.deepEqual(found, [[200]]);
  });
});

async function create(file: string, ...statements: string[]): Promise<void> {
  const engine = embedded(file);
  const answer = await post(engine, "/db/execute", statements);
  engine.close();
  assert.doesNotMatch(answer, /error/);
}

/** Starts a child on the file and kills it once it has told of so many transactions. */
async function killAfter(file: string, wanted: number): Promise<string[]> {
  const child = start(file, "parts", 1_000_000);
  let text = "";
  child.stdout?.on("data", (chunk) => {
    text += chunk;
    if (text.split("\n").length > wanted) child.kill("SIGKILL");
  });
  await toEnd(child);
  return text.split("\n").slice(0, -1);
}

function start(file: string, task: string, rounds: number): ChildProcess {
  const run = "deno" in process.versions ? ["run", "-A", "--no-check", CHILD] : [CHILD];
  return spawn(process.execPath, [...run, file, task, String(rounds)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
}

function toEnd(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
    child.stdout?.resume();
  });
}
