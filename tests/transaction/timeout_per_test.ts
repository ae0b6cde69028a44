import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { connect, TimeoutError } from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";

const passes = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

describe("timeoutPer", () => {
  it('"statement" lets the caller take its time between statements, "transaction" does not', async () => {
    const db = connect(embedded(), { timeout: 1000 });
    await db.execute("CREATE TABLE t(n INTEGER)");
    const [patient, strict] = [await db.begin({ timeoutPer: "statement" }), await db.begin()];
    for (const tx of [patient, strict]) await tx.execute("INSERT INTO t VALUES(1)");
    await passes(1100);
    await patient.execute("INSERT INTO t VALUES(2)");
    await assert.rejects(strict.execute("INSERT INTO t VALUES(2)"), TimeoutError);
    await passes(1100);
    await patient.commit();
    assert.equal((await db.query("SELECT n FROM t")).rows.length, 2);
    await db.close();
  });

  it('"statement" limits each of them', async () => {
    const engine = embedded();
    let stuck = false;
    const fetch: typeof globalThis.fetch = (input, init) =>
      stuck
        ? new Promise((_, reject) => {
          init?.signal?.addEventListener("abort", () => reject(init.signal!.reason));
        })
        : engine.fetch(input, init);
    const db = connect({ fetch, timeout: 100, retries: 0 });
    const tx = await db.begin({ timeoutPer: "statement" });
    await tx.query("SELECT 1", [], { timeout: 30_000 });
    stuck = true;
    await assert.rejects(tx.query("SELECT 2"), TimeoutError);
    await tx.rollback();
    engine.close();
    await db.close();
  });

  it("takes no other words", async () => {
    const db = connect(embedded());
    await assert.rejects(db.begin({ timeoutPer: "call" as never }), TypeError);
    await db.close();
  });
});
