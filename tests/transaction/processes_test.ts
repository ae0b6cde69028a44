// Many processes on one server: no increment is lost and none is applied twice.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { connect } from "../../mod.ts";
import { holdsId } from "../support/commits.ts";
import { startProxy } from "../support/proxy.ts";
import { skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";

const CHILD = fileURLToPath(new URL("./child.ts", import.meta.url));

function runChild(...args: string[]): Promise<number | null> {
  const run = "deno" in process.versions ? ["run", "-A", "--no-check", CHILD] : [CHILD];
  const child = spawn(process.execPath, [...run, ...args], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
}

/** What a price that begins at 0 is in the end; each process raises it and writes plainly in turns. */
async function count(
  processes: number,
  rounds: number,
  options: { cut?: boolean } = {},
): Promise<unknown> {
  const server = await startRqlited();
  const proxy = await startProxy(server.url);
  // Every tenth commit is done, and nobody hears of it.
  let commits = 0;
  proxy.plan = ({ body }) => {
    const counts = options.cut && holdsId(body);
    return counts && ++commits % 10 === 0 ? "cut after request" : "pass";
  };
  try {
    // Not by commits: so the processes are the first who need the table of commits.
    const db = connect(server.url, { exactlyOnce: false });
    await db.batch([
      "CREATE TABLE products(id INTEGER PRIMARY KEY, price INTEGER)",
      "CREATE TABLE visits(id INTEGER PRIMARY KEY, at TEXT DEFAULT CURRENT_TIMESTAMP)",
      "INSERT INTO products VALUES(1, 0)",
    ]);
    const url = options.cut ? proxy.url : server.url;
    const children = Array.from(
      { length: processes },
      () => runChild(url, String(rounds)),
    );
    assert.deepEqual(await Promise.all(children), children.map(() => 0));
    const { rows } = await db.query<{ price: number; visits: number }>(
      "SELECT price, (SELECT count(*) FROM visits) AS visits FROM products",
    );
    assert.equal(rows[0]!.visits, processes * rounds, "plain writes");
    return rows[0]!.price;
  } finally {
    await proxy.close();
    await server.stop();
  }
}

const size = process.env.PROCESSES === "all"
  ? { processes: 16, rounds: 25 }
  : { processes: 4, rounds: 10 };

describe("writes of many processes, from the first on", { skip: skipWithoutRqlited() }, () => {
  it("8 × 10 increments are 80", async () => {
    assert.equal(await count(8, 10), 80);
  });

  it("increments are exact where the answers to commits are lost", async () => {
    const { processes, rounds } = size;
    assert.equal(await count(processes, rounds, { cut: true }), processes * rounds);
  });
});
